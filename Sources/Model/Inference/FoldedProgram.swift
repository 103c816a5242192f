internal import Kernels

/// The layers of a folded network, planned for one batch size.
struct FoldedProgram {
  let batch: Int
  let input: FeatureMap
  let stem: FoldedConvolution
  let blocks: [FoldedBlock]
  let head: FoldedConvolution
  let classifier: DenseUnit
  let table: ParameterTable

  init(_ blueprint: Blueprint, batch: Int, inputSize: Int, pool: ThreadPool) {
    self.batch = batch
    table = blueprint.parameters
    classifier = blueprint.classifier
    input = FeatureMap(batch: batch, size: inputSize, channels: blueprint.inputChannels)
    let padding = blueprint.variant.padding
    var index = 0
    func plan(_ unit: ConvolutionUnit, _ input: FeatureMap) -> FoldedConvolution {
      defer { index += 1 }
      return FoldedConvolution(unit, index: index, input: input, padding: padding, pool: pool)
    }
    stem = plan(blueprint.stem, input)
    var map = stem.output
    blocks = blueprint.blocks.map { unit in
      let convolutions = unit.convolutions.reduce(into: [FoldedConvolution]()) { chain, unit in
        chain.append(plan(unit, chain.last?.output ?? map))
      }
      let block = FoldedBlock(
        convolutions: convolutions, gate: unit.gate, hasSkip: unit.hasSkip)
      map = block.output
      return block
    }
    head = plan(blueprint.head, map)
  }
}

/// A block as its one, two or three convolutions; the gate stands before the last of three.
struct FoldedBlock {
  let convolutions: [FoldedConvolution]
  let gate: GateUnit?
  let hasSkip: Bool

  var output: FeatureMap { convolutions[convolutions.count - 1].output }
}

/// A convolution whose weights hold the norm's scale; the shift and the activation follow it.
struct FoldedConvolution {
  /// Its place among all convolutions.
  let index: Int
  var output: FeatureMap { convolution.output }
  private let convolution: PlannedConvolution
  private let activation: Activation

  init(
    _ unit: ConvolutionUnit, index: Int, input: FeatureMap, padding: Padding, pool: ThreadPool
  ) {
    self.index = index
    convolution = PlannedConvolution(unit, input: input, padding: padding, pool: pool)
    activation = unit.activation
  }

  /// output = activation(convolution(input) + shift) + residual.
  func apply(
    input: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
    output target: UnsafeMutablePointer<Float>, layout: FoldedLayout,
    base: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    convolution.forward(input: input, weight: base + layout.weights[index], output: target)
    scaleShiftActivate(
      target, rows: output.rows, channels: output.channels, scale: base + layout.ones,
      shift: base + layout.shifts[index], activation: activation, residual: residual,
      output: target, pool: pool)
  }
}

/// Where everything lies in a folded network's memory, as float offsets.
struct FoldedLayout {
  let extent: Int
  let weights: [Int]
  let shifts: [Int]
  let ones: Int
  let input: Int
  /// The blocks' inputs and outputs, in turn.
  let boundaries: [Int]
  /// The expanded map, the depthwise convolution's result.
  let expanded: Int
  let filtered: Int
  /// Each image's means, squeezed vector and gates; the pooled features.
  let pooled: Int
  let hidden: Int
  let gate: Int
  let logits: Int
  /// The most channels of any convolution.
  let widest: Int

  /// Lays out the memory for the program of the largest batch.
  init(_ blueprint: Blueprint, _ program: FoldedProgram) {
    var plan = WorkspacePlan()
    weights = blueprint.allConvolutions.map {
      plan.reserve(blueprint.parameters[$0.weight].count).offset
    }
    shifts = blueprint.allConvolutions.map { plan.reserve($0.outputChannels).offset }
    widest = blueprint.allConvolutions.map(\.outputChannels).max() ?? 0
    ones = plan.reserve(widest).offset
    input = plan.reserve(program.input).offset

    var boundary = program.stem.output.count
    var expanded = program.head.output.count
    var filtered = 0
    for block in program.blocks {
      boundary = max(boundary, block.output.count)
      if block.convolutions.count > 1 {
        expanded = max(expanded, block.convolutions[0].output.count)
      }
      if block.convolutions.count > 2 {
        filtered = max(filtered, block.convolutions[1].output.count)
      }
    }
    boundaries = [plan.reserve(boundary).offset, plan.reserve(boundary).offset]
    self.expanded = plan.reserve(expanded).offset
    self.filtered = plan.reserve(filtered).offset
    pooled = plan.reserve(program.batch * widest).offset
    hidden = plan.reserve(program.batch * widest).offset
    gate = plan.reserve(program.batch * widest).offset
    logits = plan.reserve(program.batch * blueprint.classCount).offset
    extent = plan.extent
  }
}
