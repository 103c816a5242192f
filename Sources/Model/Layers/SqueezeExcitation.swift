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
  private let hiddenChannels: Int
  private let squeezeWeight: Int
  private let squeezeBias: Int
  private let exciteWeight: Int
  private let exciteBias: Int

  init(_ unit: GateUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    precondition(input.channels == unit.channels, "a gate got another layer's input")
    map = input
    hiddenChannels = unit.hiddenChannels
    squeezeWeight = planner.table[unit.squeezeWeight].offset
    squeezeBias = planner.table[unit.squeezeBias].offset
    exciteWeight = planner.table[unit.exciteWeight].offset
    exciteBias = planner.table[unit.exciteBias].offset
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
    denseForward(
      pooled, weight: context.weights + squeezeWeight, bias: context.weights + squeezeBias,
      n: batch, inputs: channels, outputs: hiddenChannels, output: context[saved.squeezed],
      pool: context.pool)
    siluForward(
      context[saved.squeezed], count: batch * hiddenChannels, output: context[saved.hidden],
      pool: context.pool)
    denseForward(
      context[saved.hidden], weight: context.weights + exciteWeight,
      bias: context.weights + exciteBias, n: batch, inputs: hiddenChannels, outputs: channels,
      output: gate, pool: context.pool)
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
    denseBackward(
      context[saved.hidden], weight: context.weights + exciteWeight, outputGradient: wide,
      n: batch, inputs: hiddenChannels, outputs: channels, inputGradient: narrow,
      weightGradient: context.gradients + exciteWeight,
      biasGradient: context.gradients + exciteBias, pool: context.pool)
    siluBackward(
      context[saved.squeezed], outputGradient: narrow, count: batch * hiddenChannels,
      inputGradient: narrow, pool: context.pool)
    denseBackward(
      context[saved.pooled], weight: context.weights + squeezeWeight, outputGradient: narrow,
      n: batch, inputs: channels, outputs: hiddenChannels, inputGradient: wide,
      weightGradient: context.gradients + squeezeWeight,
      biasGradient: context.gradients + squeezeBias, pool: context.pool)
    front.backwardPooled(
      meanGradient: wide, gate: saved.gate, gradient: gradient, context)
  }
}
