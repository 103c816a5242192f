internal import Kernels

/// A depthwise k×k convolution, a gate and a linear 1×1 projection (timm `DepthwiseSeparableConv`;
/// the first stage of EfficientNet).
struct DepthwiseSeparable {
  /// What backward reads; it ends up with the gradient of what it held.
  struct Saved {
    let output: TensorSlot
  }

  let depthwise: DepthwiseNorm
  let gate: Gate?
  let project: ConvNorm
  let saved: Saved
  private let hasSkip: Bool
  private let input: FeatureMap
  /// Reads the stored input as the depthwise convolution reads a normalised map.
  private let identity: IdentityNorm

  init(
    depthwise: ConvolutionUnit, gate: GateUnit?, project: ConvolutionUnit, hasSkip: Bool,
    input: FeatureMap, _ planner: inout LayerPlanner
  ) {
    self.input = input
    identity = IdentityNorm(channels: input.channels)
    planner.reserveGradient(input)
    self.depthwise = DepthwiseNorm(depthwise, input: input, &planner)
    let map = self.depthwise.norm.map
    planner.reserveFilteredGradient(map)
    self.gate = gate.map { Gate($0, input: map, &planner) }
    self.project = ConvNorm(project, input: map, &planner)
    saved = Saved(output: planner.workspace.reserve(self.project.output))
    self.hasSkip = hasSkip
  }

  func forward(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    convolve(input: input, context)
    project.norm.finish(
      residual: hasSkip ? UnsafePointer(input) : nil, output: context[saved.output], context)
  }

  /// All but storing the output.
  func convolve(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    depthwise.convolve(stored(input), context)
    if let gate {
      context.measure(.gate) { gate.forward(input: depthwise.norm.output(context), context) }
    }
    project.convolve(.normalized(gated(context)), context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let filtered = context.filteredGradient
    if let gate {
      project.backward(
        gated: gated(context), outputGradient: gradient, inputGradient: filtered, context)
      context.measure(.gate) {
        gate.backward(through: depthwise.norm, gradient: filtered, context)
      }
    } else {
      project.backward(
        through: depthwise.norm, outputGradient: gradient, argumentGradient: filtered, context)
    }
    let own = context.expandedGradient
    depthwise.backward(
      stored: stored(input), outputArgumentGradient: filtered, inputGradient: own, context)
    let inputGradient = hasSkip ? gradient : input
    context.measure(.depthwise) {
      if !hasSkip { fill(input, 0, count: self.input.count, pool: context.pool) }
      accumulate(own, to: inputGradient, count: self.input.count, pool: context.pool)
    }
    return inputGradient
  }

  private func stored(_ input: UnsafePointer<Float>) -> NormalizedMap {
    identity.map(input, rowsPerImage: self.input.spatial)
  }

  /// The filtered map behind its gates.
  private func gated(_ context: LayerContext) -> NormalizedMap {
    depthwise.norm.output(context, gate: gate?.gates)
  }
}
