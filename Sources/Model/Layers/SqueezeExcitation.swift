internal import Kernels

/// Squeeze-and-excitation: each channel is scaled by a gate computed from all channels' means
/// (Hu et al., arXiv:1709.01507).
///
/// x [N, S, S, C] → mean [N, C] → squeeze [N, R], SiLU → excite [N, C], sigmoid → x * gate.
struct SqueezeExcitation {
  /// What backward reads besides the input; also the places of the small gradients.
  struct Saved {
    /// The means of the input.
    let pooled: TensorSlot
    /// The squeezed vectors before and after the activation.
    let squeezed: TensorSlot
    let hidden: TensorSlot
    /// The gates, after the sigmoid.
    let gate: TensorSlot
    /// Gradients of gate and means; of the squeezed vectors.
    let wideGradient: TensorSlot
    let narrowGradient: TensorSlot
  }

  let map: FeatureMap
  let saved: Saved
  private let squeeze: DenseLayer
  private let excite: DenseLayer

  init(_ unit: GateUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    precondition(input.channels == unit.channels, "a gate got another layer's input")
    map = input
    squeeze = DenseLayer(unit.squeeze, rows: input.batch, &planner)
    excite = DenseLayer(unit.excite, rows: input.batch, &planner)
    let wide = input.batch * unit.channels
    let narrow = input.batch * unit.hiddenChannels
    saved = Saved(
      pooled: planner.workspace.reserve(wide), squeezed: planner.workspace.reserve(narrow),
      hidden: planner.workspace.reserve(narrow), gate: planner.workspace.reserve(wide),
      wideGradient: planner.workspace.reserve(wide),
      narrowGradient: planner.workspace.reserve(narrow))
    planner.reserveScratch(
      GradientSums.count(
        parts: pooledGradientParts(batch: input.batch), channels: input.channels))
  }

  /// Computes the gates of the input.
  func forward(input: NormalizedMap, _ context: LayerContext) {
    let (batch, channels) = (map.batch, map.channels)
    let (pooled, gate) = (context[saved.pooled], context[saved.gate])
    globalAveragePool(
      input, batch: batch, channels: channels, output: pooled, pool: context.pool)
    squeeze.forward(
      pooled, rows: batch, output: context[saved.squeezed], weights: context.weights,
      pool: context.pool)
    siluForward(
      context[saved.squeezed], count: batch * squeeze.outputs, output: context[saved.hidden],
      pool: context.pool)
    excite.forward(
      context[saved.hidden], rows: batch, output: gate, weights: context.weights,
      pool: context.pool)
    sigmoidForward(gate, count: batch * channels, output: gate, pool: context.pool)
  }

  /// Adds the gradients of both layers and turns `gradient`, that of the gated map, into that of the
  /// argument of the norm in front, whose sums are joined.
  func backward(
    through front: TrainingNorm, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let (batch, channels) = (map.batch, map.channels)
    let wide = context[saved.wideGradient]
    let narrow = context[saved.narrowGradient]
    gateGradient(
      front.output(context), outputGradient: gradient, batch: batch, channels: channels,
      gateGradient: wide, pool: context.pool)
    sigmoidBackward(
      output: context[saved.gate], outputGradient: wide, count: batch * channels,
      inputGradient: wide, pool: context.pool)
    excite.backward(
      context[saved.hidden], rows: batch, outputGradient: wide, inputGradient: narrow, context)
    siluBackward(
      context[saved.squeezed], outputGradient: narrow, count: batch * squeeze.outputs,
      inputGradient: narrow, pool: context.pool)
    squeeze.backward(
      context[saved.pooled], rows: batch, outputGradient: narrow, inputGradient: wide, context)
    front.backwardPooled(
      meanGradient: wide, gate: saved.gate, gradient: gradient, context)
  }
}
