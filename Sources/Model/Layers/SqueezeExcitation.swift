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
  /// Whether backward stores the gradient of the norm's argument: a map that the caches hold is read
  /// again in less time than its slopes are computed again.
  private let storesGradient: Bool
  private let squeeze: DenseLayer
  private let excite: DenseLayer

  init(_ unit: GateUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    precondition(input.channels == unit.channels, "a gate got another layer's input")
    map = input
    storesGradient = input.count <= planner.cachedCount
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
      storesGradient
        ? GradientSums.count(
          parts: pooledGradientParts(batch: input.batch), channels: input.channels)
        : GatedSums.count(batch: input.batch, channels: input.channels))
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
      context[saved.hidden], rows: batch, activation: .sigmoid, output: gate,
      weights: context.weights, pool: context.pool)
  }

  /// Adds the gradients of both layers. Turns `gradient`, that of the gated map, into that of the
  /// argument of the norm in front, or says how that is computed from it; the sums are joined.
  func backward(
    through front: TrainingNorm, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) -> ArgumentGradient {
    let (batch, channels) = (map.batch, map.channels)
    let wide = context[saved.wideGradient]
    let narrow = context[saved.narrowGradient]
    let sums = storesGradient ? nil : GatedSums(context.scratch, batch: batch, channels: channels)
    if let sums {
      sums.add(
        front.output(context), outputGradient: gradient, gates: context[saved.gate],
        gateGradient: wide, pool: context.pool)
    } else {
      gateGradient(
        front.output(context), outputGradient: gradient, gates: context[saved.gate], batch: batch,
        channels: channels, gateGradient: wide, pool: context.pool)
    }
    excite.backward(
      context[saved.hidden], rows: batch, outputGradient: wide, inputGradient: narrow, context)
    siluBackward(
      context[saved.squeezed], outputGradient: narrow, count: batch * squeeze.outputs,
      inputGradient: narrow, pool: context.pool)
    squeeze.backward(
      context[saved.pooled], rows: batch, outputGradient: narrow, inputGradient: wide, context)
    guard let sums else {
      front.backwardPooled(
        meanGradient: wide, gate: saved.gate, gradient: gradient, context)
      return .stored(gradient)
    }
    let joined = sums.joined(
      gates: context[saved.gate], meanGradient: wide, pixels: map.spatial, pool: context.pool)
    front.join(joined, parts: 1, context)
    return .gated(gradient, gates: context[saved.gate], meanGradient: wide)
  }
}
