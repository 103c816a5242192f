internal import Kernels

/// The weights of a folded network, scaled by their norms and in the order in which they are read,
/// and the shift of every layer.
///
/// SAFETY: the pointers belong to `memory`, which lives as long as the object.
final class FoldedWeights {
  private let memory: FloatMemory
  private let units: [FoldedUnit]
  private let layers: [FoldedLayer]
  private let packedOffsets: [Int]
  private let shiftOffsets: [Int]
  private let scaleOffset: Int

  /// The floats held.
  var count: Int { memory.count }

  /// Makes room for the weights that a program reads; `refresh` fills it.
  init(_ source: FoldedSource, _ program: FoldedProgram) {
    var plan = WorkspacePlan()
    units = source.units
    layers = program.layers
    packedOffsets = layers.map { plan.reserve($0.weightCount).offset }
    shiftOffsets = layers.map { plan.reserve($0.output.channels).offset }
    scaleOffset = plan.reserve(units.map(\.outputs).max() ?? 0).offset
    memory = FloatMemory(count: plan.extent)
  }

  /// Folds the network's present weights and statistics.
  func refresh(from network: Network) {
    let scale = memory.base + scaleOffset
    for (unit, layer) in zip(units, layers) {
      unit.writeFold(
        of: network, scale: scale, shift: memory.base + shiftOffsets[layer.index])
      let weight = network.parameters.weights + network.parameters.table[unit.weight].offset
      layer.pack(weight, scale: scale, into: memory.base + packedOffsets[layer.index])
    }
  }

  /// The weights of a layer.
  func packed(_ index: Int) -> UnsafePointer<Float> {
    UnsafePointer(memory.base + packedOffsets[index])
  }

  /// What is added to each output channel of a layer.
  func shift(_ index: Int) -> UnsafePointer<Float> {
    UnsafePointer(memory.base + shiftOffsets[index])
  }
}
