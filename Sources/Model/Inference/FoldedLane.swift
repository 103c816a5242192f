internal import Kernels

/// A thread, or all threads together, with the memory to apply a folded network to a few images.
///
/// SAFETY: one thread at a time may run a lane; its pointers live as long as the lane.
final class FoldedLane: @unchecked Sendable {
  private let pool: ThreadPool
  private let source: FoldedSource
  private let parameters: ParameterStore
  private let inputSize: Int
  private let weights: FoldedWeights
  private let memory: FloatMemory
  /// The blocks' inputs and outputs, in turn.
  private let boundaries: [Int]
  /// The expanded map, the depthwise convolution's result.
  private let expanded: Int
  private let filtered: Int
  /// Each image's means, squeezed vector and gates.
  private let pooled: Int
  private let hidden: Int
  private let gate: Int
  /// Each pixel's attention in a global context.
  private let shares: Int
  /// Each image's largest values, where they are joined with the means.
  private let maxima: Int
  /// The largest program first; of the others the two latest.
  private var programs: [FoldedProgram]

  /// Allocates for as many images as the program is planned for.
  init(
    _ source: FoldedSource, _ parameters: ParameterStore, program: FoldedProgram,
    weights: FoldedWeights, pool: ThreadPool
  ) {
    self.pool = pool
    self.source = source
    self.parameters = parameters
    self.weights = weights
    inputSize = program.input.size
    programs = [program]
    let layout = Self.layout(program)
    (boundaries, expanded, filtered, pooled, hidden, gate, shares, maxima) = (
      layout.slots[0...1].map(\.offset), layout.slots[2].offset, layout.slots[3].offset,
      layout.slots[4].offset, layout.slots[5].offset, layout.slots[6].offset,
      layout.slots[7].offset, layout.slots[8].offset
    )
    memory = FloatMemory(count: layout.extent)
  }

  /// The floats that a lane for the program allocates.
  static func extent(_ program: FoldedProgram) -> Int { layout(program).extent }

  private static func layout(_ program: FoldedProgram) -> (slots: [TensorSlot], extent: Int) {
    var boundary = program.stem.output.count
    var (expanded, filtered, hidden, widest) = (0, 0, 0, program.features.channels)
    var shares = 0
    func filter(_ depthwise: FoldedLayer, _ gate: FoldedGate?) {
      filtered = max(filtered, depthwise.output.count)
      hidden = max(hidden, gate?.squeeze.output.count ?? 0)
      widest = max(widest, depthwise.output.channels)
      if gate?.context != nil { shares = max(shares, depthwise.output.rows) }
    }
    for block in program.blocks {
      boundary = max(boundary, block.output.count)
      switch block.body {
      case .convolution, .fused: break
      case .inverted(let expand, let depthwise, let gate, _):
        expanded = max(expanded, expand.output.count)
        filter(depthwise, gate)
      case .separable(let depthwise, let gate, _): filter(depthwise, gate)
      }
    }
    var plan = WorkspacePlan()
    let counts = [
      boundary, boundary, expanded, filtered, program.batch * widest, hidden,
      program.batch * widest, shares, program.maximaCount,
    ]
    return (counts.map { plan.reserve($0) }, plan.extent)
  }

  /// Applies the network to `count` images, from number `first` on.
  func run(first: Int, count: Int, _ tensors: InferenceTensors) {
    let program = program(for: count)
    let head = program.head
    let classes = program.classifier.output.channels
    let features = tensors.features + first * (head.output.count / count)
    var current = memory.base + boundaries[0]
    var next = memory.base + boundaries[1]
    program.stem.apply(
      weights, input: tensors.input + first * (program.input.count / count), output: current)
    for block in program.blocks {
      run(block, input: current, output: next)
      swap(&current, &next)
    }
    head.apply(weights, input: current, output: features)
    poolHead(features, head.output)
    program.classifier.apply(
      weights, input: memory.base + pooled, output: tensors.logits + first * classes)
  }

  private func run(
    _ block: FoldedBlock, input: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    let residual = block.hasSkip ? UnsafePointer(input) : nil
    switch block.body {
    case .convolution(let layer):
      layer.apply(weights, input: input, residual: residual, output: output)
    case .fused(let pair):
      pair.apply(weights, input: input, residual: residual, output: output)
    case .inverted(let expand, let depthwise, let gate, let project):
      let filtered = memory.base + filtered
      expand.apply(weights, input: input, output: memory.base + expanded)
      depthwise.apply(weights, input: memory.base + expanded, output: filtered)
      if let gate { scale(filtered, depthwise.output, by: gate) }
      project.apply(weights, input: filtered, residual: residual, output: output)
    case .separable(let depthwise, let gate, let project):
      let filtered = memory.base + filtered
      depthwise.apply(weights, input: input, output: filtered)
      if let gate { scale(filtered, depthwise.output, by: gate) }
      project.apply(weights, input: filtered, residual: residual, output: output)
    }
  }

  /// The gate of a map, in place.
  private func scale(_ x: UnsafeMutablePointer<Float>, _ map: FeatureMap, by unit: FoldedGate) {
    let hidden = memory.base + hidden
    let gate = memory.base + gate
    if let context = unit.context {
      attend(x, map, context)
    } else {
      pool(x, map)
    }
    unit.squeeze.apply(weights, input: memory.base + pooled, output: hidden)
    if let context = unit.context { normalize(hidden, unit.squeeze.output, context) }
    unit.excite.apply(weights, input: hidden, output: gate)
    channelGate(
      x, gate: gate, batch: map.batch, spatial: map.spatial, channels: map.channels, output: x,
      pool: pool)
  }

  /// Leaves each channel's mean, weighted by the attention, in `pooled`.
  private func attend(
    _ x: UnsafePointer<Float>, _ map: FeatureMap, _ context: ContextReferences
  ) {
    let (weights, table) = (parameters.weights, parameters.table)
    contextPool(
      x, weight: weights + table[context.attentionWeight].offset,
      bias: weights + table[context.attentionBias].offset, batch: map.batch,
      spatial: map.spatial, channels: map.channels, shares: memory.base + shares,
      context: memory.base + pooled, pool: pool)
  }

  /// The norm and the activation of a global context's hidden vectors, in place.
  private func normalize(
    _ hidden: UnsafeMutablePointer<Float>, _ map: FeatureMap, _ context: ContextReferences
  ) {
    let (weights, table) = (parameters.weights, parameters.table)
    layerNormForward(
      hidden, rows: map.batch, channels: map.channels,
      norm: LayerNormParameters(
        scale: weights + table[context.norm.scale].offset,
        shift: weights + table[context.norm.shift].offset, epsilon: ContextReferences.epsilon),
      statistics: nil, output: hidden, pool: pool)
    siluForward(hidden, count: map.count, output: hidden, pool: pool)
  }

  /// Leaves each channel's mean in `pooled`.
  private func pool(_ x: UnsafePointer<Float>, _ map: FeatureMap) {
    globalAveragePool(
      x, batch: map.batch, spatial: map.spatial, channels: map.channels,
      output: memory.base + pooled, pool: pool)
  }

  /// Leaves each image's features in `pooled`.
  private func poolHead(_ x: UnsafePointer<Float>, _ map: FeatureMap) {
    func findMaxima(_ output: UnsafeMutablePointer<Float>) {
      globalMaxPool(
        x, batch: map.batch, spatial: map.spatial, channels: map.channels, output: output,
        pool: pool)
    }
    switch source.pooling {
    case .average: pool(x, map)
    case .maximum: findMaxima(memory.base + pooled)
    case .averageMaximum, .concatenated:
      let (means, maxima) = (memory.base + gate, memory.base + maxima)
      globalAveragePool(
        x, batch: map.batch, spatial: map.spatial, channels: map.channels, output: means,
        pool: pool)
      findMaxima(maxima)
      source.pooling.join(
        means: means, maxima: maxima, batch: map.batch, channels: map.channels,
        features: memory.base + pooled)
    }
  }

  private func program(for count: Int) -> FoldedProgram {
    if let known = programs.first(where: { $0.batch == count }) { return known }
    let program = FoldedProgram(source, batch: count, inputSize: inputSize, pool: pool)
    if programs.count > 2 { programs.remove(at: 1) }
    programs.append(program)
    return program
  }
}
