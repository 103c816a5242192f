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
  }

  /// output = input * gate(input).
  func forward(
    input: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    GateWeights(
      squeeze: context.weights + squeezeWeight, squeezeBias: context.weights + squeezeBias,
      excite: context.weights + exciteWeight, exciteBias: context.weights + exciteBias,
      hiddenChannels: hiddenChannels
    ).apply(
      to: input, map: map, output: output, pooled: context[saved.pooled],
      squeezed: context[saved.squeezed], hidden: context[saved.hidden],
      gate: context[saved.gate], pool: context.pool)
  }

  /// Adds the gradients of both layers and turns `gradient`, that of the output, into that of the
  /// input, in place.
  func backward(
    input: UnsafePointer<Float>, gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let (batch, channels) = (map.batch, map.channels)
    let wide = context[saved.wideGradient]
    let narrow = context[saved.narrowGradient]
    channelGateBackward(
      input, gate: context[saved.gate], outputGradient: gradient, batch: batch,
      spatial: map.spatial, channels: channels, inputGradient: gradient, gateGradient: wide,
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
      context[saved.squeezed], outputGradient: narrow, count: batch * hiddenChannels,
      inputGradient: narrow, pool: context.pool)
    denseBackward(
      context[saved.pooled], weight: context.weights + squeezeWeight, outputGradient: narrow,
      n: batch, inputs: channels, outputs: hiddenChannels, inputGradient: wide,
      weightGradient: context.gradients + squeezeWeight,
      biasGradient: context.gradients + squeezeBias, pool: context.pool)
    globalAveragePoolBackward(
      outputGradient: wide, batch: batch, spatial: map.spatial, channels: channels,
      inputGradient: gradient, accumulate: true, pool: context.pool)
  }
}

/// The forward pass of squeeze-and-excitation, for training and inference alike.
struct GateWeights {
  let squeeze: UnsafePointer<Float>
  let squeezeBias: UnsafePointer<Float>
  let excite: UnsafePointer<Float>
  let exciteBias: UnsafePointer<Float>
  let hiddenChannels: Int

  /// output = x * gate(x); `output` may alias `x`, and `hidden` may alias `squeezed` where nobody
  /// reads the squeezed vectors afterwards.
  func apply(
    to x: UnsafePointer<Float>, map: FeatureMap, output: UnsafeMutablePointer<Float>,
    pooled: UnsafeMutablePointer<Float>, squeezed: UnsafeMutablePointer<Float>,
    hidden: UnsafeMutablePointer<Float>, gate: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let (batch, channels) = (map.batch, map.channels)
    globalAveragePool(
      x, batch: batch, spatial: map.spatial, channels: channels, output: pooled, pool: pool)
    denseForward(
      pooled, weight: squeeze, bias: squeezeBias, n: batch, inputs: channels,
      outputs: hiddenChannels, output: squeezed, pool: pool)
    siluForward(squeezed, count: batch * hiddenChannels, output: hidden, pool: pool)
    denseForward(
      hidden, weight: excite, bias: exciteBias, n: batch, inputs: hiddenChannels,
      outputs: channels, output: gate, pool: pool)
    sigmoidForward(gate, count: batch * channels, output: gate, pool: pool)
    channelGate(
      x, gate: gate, batch: batch, spatial: map.spatial, channels: channels, output: output,
      pool: pool)
  }
}
