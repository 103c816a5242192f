public import Kernels

/// A network for inference: every batch norm folded into the convolution before it, with the
/// running statistics; no dropout, nothing kept for a backward pass.
///
/// Memory is allocated once for the largest batch. A smaller batch plans its convolutions when it
/// is first run; the last few batch sizes stay planned. The results do not depend on the number of
/// threads; an image's logits depend on the rest of its batch by rounding at most.
///
/// One thread at a time may use it. SAFETY: its pointers live as long as the object.
public final class FoldedNetwork {
  /// The network whose weights are applied.
  public let network: Network
  /// The most images of one run.
  public let maxBatch: Int
  /// The edge of the square input, in pixels.
  public let inputSize: Int
  /// The edge of the last feature map, before the pooling.
  public let featureSize: Int
  /// The memory held for folded weights and activations.
  public let workspaceBytes: Int

  private let pool: ThreadPool
  private let memory: FloatMemory
  private let layout: FoldedLayout
  private var programs: [FoldedProgram] = []

  /// Folds the network's present weights.
  ///
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense or needs more memory
  ///   than the machine has.
  public init(_ network: Network, maxBatch: Int, inputSize: Int, pool: ThreadPool) throws {
    let blueprint = network.blueprint
    guard maxBatch > 0 else { throw ArchitectureError.batchSize(maxBatch) }
    try blueprint.checkExtent(batch: maxBatch, inputSize: inputSize)
    let program = FoldedProgram(blueprint, batch: maxBatch, inputSize: inputSize, pool: pool)
    layout = FoldedLayout(blueprint, program)
    workspaceBytes = layout.extent * MemoryLayout<Float>.stride
    try checkMemory(workspaceBytes, batch: maxBatch, inputSize: inputSize)
    memory = FloatMemory(count: layout.extent)
    programs = [program]
    self.network = network
    self.maxBatch = maxBatch
    self.inputSize = inputSize
    self.pool = pool
    featureSize = program.head.output.size
    (memory.base + layout.ones).update(repeating: 1, count: layout.widest)
    refresh()
  }

  /// The normalised images [maxBatch, size, size, channels], filled by the caller.
  public var input: UnsafeMutablePointer<Float> { memory.base + layout.input }

  /// The head's feature map of the last run: [batch, featureSize, featureSize, features], what
  /// timm calls `forward_features` (in NHWC).
  public var features: UnsafePointer<Float> { UnsafePointer(memory.base + layout.expanded) }

  /// Folds the weights and statistics again, after they have changed.
  public func refresh() {
    let blueprint = network.blueprint
    let units = blueprint.allConvolutions
    let (layout, store, base) = (layout, network.parameters, memory.base)
    let epsilon = Double(blueprint.variant.normEpsilon)
    pool.run(units.count) { index in
      let unit = units[index]
      let table = store.table
      let channels = unit.outputChannels
      let weight = store.weights + table[unit.weight].offset
      let gamma = store.weights + table[unit.norm.scale].offset
      let beta = store.weights + table[unit.norm.shift].offset
      let mean = store.buffers + table[unit.norm.mean].offset
      let variance = store.buffers + table[unit.norm.variance].offset
      let folded = base + layout.weights[index]
      let shift = base + layout.shifts[index]
      let rows = table[unit.weight].count / channels
      for channel in 0..<channels {
        let scale = Double(gamma[channel]) / (Double(variance[channel]) + epsilon).squareRoot()
        shift[channel] = Float(Double(beta[channel]) - Double(mean[channel]) * scale)
        // The output channel is the last dimension of both weight layouts.
        var place = channel
        for _ in 0..<rows {
          folded[place] = Float(Double(weight[place]) * scale)
          place += channels
        }
      }
    }
  }

  /// Applies the network to the first `batch` images of `input`.
  ///
  /// - Returns: the logits [batch, classes], valid until the next run.
  public func run(batch: Int) -> UnsafePointer<Float> {
    precondition((1...maxBatch).contains(batch), "the batch must fit into the planned one")
    let run = FoldedRun(
      program: program(for: batch), layout: layout, base: memory.base,
      weights: network.parameters.weights, pool: pool)
    run.execute()
    return UnsafePointer(memory.base + layout.logits)
  }

  private func program(for batch: Int) -> FoldedProgram {
    if let index = programs.firstIndex(where: { $0.batch == batch }) { return programs[index] }
    let program = FoldedProgram(
      network.blueprint, batch: batch, inputSize: inputSize, pool: pool)
    // The largest batch stays first; of the others the two latest are kept.
    if programs.count > 2 { programs.remove(at: 1) }
    programs.append(program)
    return program
  }
}

extension Blueprint {
  /// Every convolution with its norm, in order.
  var allConvolutions: [ConvolutionUnit] { [stem] + blocks.flatMap(\.convolutions) + [head] }
}
