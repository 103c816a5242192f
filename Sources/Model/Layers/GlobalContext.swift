internal import Kernels

/// A gate from a global context: the pixels are averaged with the weights of an attention, and the
/// hidden vector is normalised (Cao et al., arXiv:1904.11492; timm `GlobalContext`).
///
/// x [N, S, S, C] → context [N, C] → squeeze [N, R], layer norm, SiLU → excite [N, C], sigmoid →
/// x * gate.
struct GlobalContext {
  /// What backward reads besides the input; also the places of the small gradients.
  struct Saved {
    /// The attention of each pixel, and the gradient of its argument.
    let shares: TensorSlot
    let slopes: TensorSlot
    let context: TensorSlot
    /// The squeezed vectors, behind the norm, and behind the activation.
    let squeezed: TensorSlot
    let normalized: TensorSlot
    let hidden: TensorSlot
    /// Each hidden vector's mean and 1/deviation.
    let statistics: TensorSlot
    /// The gates, after the sigmoid.
    let gate: TensorSlot
    let wideGradient: TensorSlot
    let narrowGradient: TensorSlot
    let squeezedGradient: TensorSlot
    /// Sums of the attention's gradients, image by image.
    let sums: TensorSlot
  }

  let saved: Saved
  private let map: FeatureMap
  private let hiddenChannels: Int
  private let attentionWeight: Int
  private let attentionBias: Int
  private let squeezeWeight: Int
  private let squeezeBias: Int
  private let normScale: Int
  private let normShift: Int
  private let exciteWeight: Int
  private let exciteBias: Int

  init(
    _ unit: GateUnit, _ context: ContextReferences, input: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    precondition(input.channels == unit.channels, "a gate got another layer's input")
    map = input
    hiddenChannels = unit.hiddenChannels
    let table = planner.table
    attentionWeight = table[context.attentionWeight].offset
    attentionBias = table[context.attentionBias].offset
    squeezeWeight = table[unit.squeezeWeight].offset
    squeezeBias = table[unit.squeezeBias].offset
    normScale = table[context.norm.scale].offset
    normShift = table[context.norm.shift].offset
    exciteWeight = table[unit.exciteWeight].offset
    exciteBias = table[unit.exciteBias].offset
    let wide = input.batch * unit.channels
    let narrow = input.batch * unit.hiddenChannels
    func slot(_ count: Int) -> TensorSlot { planner.workspace.reserve(count) }
    saved = Saved(
      shares: slot(input.rows), slopes: slot(input.rows), context: slot(wide),
      squeezed: slot(narrow), normalized: slot(narrow), hidden: slot(narrow),
      statistics: slot(2 * input.batch), gate: slot(wide), wideGradient: slot(wide),
      narrowGradient: slot(narrow), squeezedGradient: slot(narrow),
      sums: slot(input.batch * (unit.channels + 1)))
    planner.reserveScratch(
      GradientSums.count(
        parts: pooledGradientParts(batch: input.batch), channels: input.channels))
  }

  private func norm(_ context: LayerContext) -> LayerNormParameters {
    LayerNormParameters(
      scale: context.weights + normScale, shift: context.weights + normShift,
      epsilon: ContextReferences.epsilon)
  }

  /// Computes the gates of the input.
  func forward(input: NormalizedMap, _ context: LayerContext) {
    let (batch, channels) = (map.batch, map.channels)
    let gate = context[saved.gate]
    contextPool(
      input, weight: context.weights + attentionWeight, bias: context.weights + attentionBias,
      batch: batch, channels: channels, shares: context[saved.shares],
      context: context[saved.context], pool: context.pool)
    denseForward(
      context[saved.context], weight: context.weights + squeezeWeight,
      bias: context.weights + squeezeBias, n: batch, inputs: channels, outputs: hiddenChannels,
      output: context[saved.squeezed], pool: context.pool)
    layerNormForward(
      context[saved.squeezed], rows: batch, channels: hiddenChannels, norm: norm(context),
      statistics: context[saved.statistics], output: context[saved.normalized],
      pool: context.pool)
    siluForward(
      context[saved.normalized], count: batch * hiddenChannels, output: context[saved.hidden],
      pool: context.pool)
    denseForward(
      context[saved.hidden], weight: context.weights + exciteWeight,
      bias: context.weights + exciteBias, n: batch, inputs: hiddenChannels, outputs: channels,
      output: gate, pool: context.pool)
    sigmoidForward(gate, count: batch * channels, output: gate, pool: context.pool)
  }

  /// Adds the gradients of all layers and turns `gradient`, that of the gated map, into that of the
  /// argument of the norm in front, whose sums are joined.
  func backward(
    through front: TrainingNorm, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let (batch, channels) = (map.batch, map.channels)
    let wide = context[saved.wideGradient]
    let narrow = context[saved.narrowGradient]
    let squeezed = context[saved.squeezedGradient]
    let input = front.output(context)
    gateGradient(
      input, outputGradient: gradient, batch: batch, channels: channels, gateGradient: wide,
      pool: context.pool)
    sigmoidBackward(
      output: context[saved.gate], outputGradient: wide, count: batch * channels,
      inputGradient: wide, pool: context.pool)
    denseBackward(
      context[saved.hidden], weight: context.weights + exciteWeight, outputGradient: wide,
      n: batch, inputs: hiddenChannels, outputs: channels, inputGradient: narrow,
      weightGradient: context.gradients + exciteWeight,
      biasGradient: context.gradients + exciteBias, pool: context.pool)
    siluBackward(
      context[saved.normalized], outputGradient: narrow, count: batch * hiddenChannels,
      inputGradient: narrow, pool: context.pool)
    squeezed.update(repeating: 0, count: batch * hiddenChannels)
    layerNormBackward(
      context[saved.squeezed], outputGradient: narrow, rows: batch, channels: hiddenChannels,
      norm: norm(context), statistics: context[saved.statistics], inputGradient: squeezed,
      scaleGradient: context.gradients + normScale, shiftGradient: context.gradients + normShift,
      pool: context.pool)
    denseBackward(
      context[saved.context], weight: context.weights + squeezeWeight, outputGradient: squeezed,
      n: batch, inputs: channels, outputs: hiddenChannels, inputGradient: wide,
      weightGradient: context.gradients + squeezeWeight,
      biasGradient: context.gradients + squeezeBias, pool: context.pool)
    contextAttentionGradient(
      input, contextGradient: wide, shares: context[saved.shares], batch: batch,
      channels: channels, slopes: context[saved.slopes], sums: context[saved.sums],
      weightGradient: context.gradients + attentionWeight,
      biasGradient: context.gradients + attentionBias, pool: context.pool)
    let parts = pooledGradientParts(batch: batch)
    let sums = front.sums(parts: parts, context)
    contextArgumentGradient(
      front.output(context, gate: saved.gate), contextGradient: wide,
      shares: context[saved.shares], slopes: context[saved.slopes],
      weight: context.weights + attentionWeight, batch: batch, channels: channels,
      gradient: gradient, sums: sums, pool: context.pool)
    front.join(sums, parts: parts, context)
  }
}
