internal import Kernels

/// One pass through a folded network.
///
/// SAFETY: the pointers come from the network's layout and store, which outlive the run.
struct FoldedRun {
  let program: FoldedProgram
  let layout: FoldedLayout
  let base: UnsafeMutablePointer<Float>
  /// The network's own weights, for the gates and the classifier.
  let weights: UnsafeMutablePointer<Float>
  let pool: ThreadPool

  func execute() {
    var current = base + layout.boundaries[0]
    var next = base + layout.boundaries[1]
    apply(program.stem, from: base + layout.input, residual: nil, to: current)
    for block in program.blocks {
      run(block, input: current, output: next)
      swap(&current, &next)
    }
    let features = base + layout.expanded
    apply(program.head, from: current, residual: nil, to: features)
    classify(features)
  }

  private func run(
    _ block: FoldedBlock, input: UnsafeMutablePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    let residual = block.hasSkip ? UnsafePointer(input) : nil
    let chain = block.convolutions
    let expanded = base + layout.expanded
    let filtered = base + layout.filtered
    switch chain.count {
    case 1:
      apply(chain[0], from: input, residual: residual, to: output)
    case 2:
      apply(chain[0], from: input, residual: nil, to: expanded)
      apply(chain[1], from: expanded, residual: residual, to: output)
    default:
      apply(chain[0], from: input, residual: nil, to: expanded)
      apply(chain[1], from: expanded, residual: nil, to: filtered)
      if let gate = block.gate { scale(filtered, chain[1].output, by: gate) }
      apply(chain[2], from: filtered, residual: residual, to: output)
    }
  }

  private func apply(
    _ convolution: FoldedConvolution, from input: UnsafePointer<Float>,
    residual: UnsafePointer<Float>?, to output: UnsafeMutablePointer<Float>
  ) {
    convolution.apply(
      input: input, residual: residual, output: output, layout: layout, base: base, pool: pool)
  }

  /// Squeeze-and-excitation, in place.
  private func scale(_ x: UnsafeMutablePointer<Float>, _ map: FeatureMap, by unit: GateUnit) {
    GateWeights(
      squeeze: weight(unit.squeezeWeight), squeezeBias: weight(unit.squeezeBias),
      excite: weight(unit.exciteWeight), exciteBias: weight(unit.exciteBias),
      hiddenChannels: unit.hiddenChannels
    ).apply(
      to: x, map: map, output: x, pooled: base + layout.pooled, squeezed: base + layout.hidden,
      hidden: base + layout.hidden, gate: base + layout.gate, pool: pool)
  }

  private func classify(_ features: UnsafePointer<Float>) {
    let map = program.head.output
    let pooled = base + layout.pooled
    globalAveragePool(
      features, batch: map.batch, spatial: map.spatial, channels: map.channels, output: pooled,
      pool: pool)
    denseForward(
      pooled, weight: weight(program.classifier.weight), bias: weight(program.classifier.bias),
      n: map.batch, inputs: program.classifier.inputs, outputs: program.classifier.outputs,
      output: base + layout.logits, pool: pool)
  }

  private func weight(_ reference: ParameterReference) -> UnsafePointer<Float> {
    UnsafePointer(weights + program.table[reference].offset)
  }
}
