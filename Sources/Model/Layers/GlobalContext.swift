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
  private let attentionWeight: Int
  private let attentionBias: Int
  private let squeeze: DenseLayer
  private let norm: RowNorm
  private let excite: DenseLayer

  init(
    _ unit: GateUnit, _ context: ContextReferences, input: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    precondition(input.channels == unit.channels, "a gate got another layer's input")
    map = input
    let table = planner.table
    attentionWeight = table[context.attentionWeight].offset
    attentionBias = table[context.attentionBias].offset
    squeeze = DenseLayer(unit.squeeze, rows: input.batch, &planner)
    norm = RowNorm(
      context.norm, channels: unit.hiddenChannels, epsilon: ContextReferences.epsilon, table)
    excite = DenseLayer(unit.excite, rows: input.batch, &planner)
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

  /// Computes the gates of the input.
  func forward(input: NormalizedMap, _ context: LayerContext) {
    let (batch, channels) = (map.batch, map.channels)
    let gate = context[saved.gate]
    contextPool(
      input, weight: context.weights + attentionWeight, bias: context.weights + attentionBias,
      batch: batch, channels: channels, shares: context[saved.shares],
      context: context[saved.context], pool: context.pool)
    squeeze.forward(
      context[saved.context], rows: batch, output: context[saved.squeezed],
      weights: context.weights, pool: context.pool)
    norm.forward(
      context[saved.squeezed], rows: batch, statistics: context[saved.statistics],
      output: context[saved.normalized], weights: context.weights, pool: context.pool)
    siluForward(
      context[saved.normalized], count: batch * squeeze.outputs, output: context[saved.hidden],
      pool: context.pool)
    excite.forward(
      context[saved.hidden], rows: batch, activation: .sigmoid, output: gate,
      weights: context.weights, pool: context.pool)
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
      input, outputGradient: gradient, gates: context[saved.gate], batch: batch,
      channels: channels, gateGradient: wide, pool: context.pool)
    excite.backward(
      context[saved.hidden], rows: batch, outputGradient: wide, inputGradient: narrow, context)
    siluBackward(
      context[saved.normalized], outputGradient: narrow, count: batch * squeeze.outputs,
      inputGradient: narrow, pool: context.pool)
    squeezed.update(repeating: 0, count: batch * squeeze.outputs)
    norm.backward(
      context[saved.squeezed], rows: batch, statistics: context[saved.statistics],
      outputGradient: narrow, inputGradient: squeezed, context)
    squeeze.backward(
      context[saved.context], rows: batch, outputGradient: squeezed, inputGradient: wide, context)
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
