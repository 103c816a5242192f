internal import Kernels

/// A depthwise k×k convolution, a gate and a linear 1×1 projection (timm `DepthwiseSeparableConv`;
/// the first stage of EfficientNet).
struct DepthwiseSeparable {
  /// What backward reads; it ends up with the gradient of what it held.
  struct Saved {
    let output: TensorSlot
  }

  let projection: FilteredProjection
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
    projection = FilteredProjection(
      depthwise: depthwise, gate: gate, project: project, input: input, &planner)
    saved = Saved(output: planner.workspace.reserve(projection.project.output))
    self.hasSkip = hasSkip
  }

  func forward(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    convolve(input: input, context)
    projection.project.norm.finish(
      residual: hasSkip ? UnsafePointer(input) : nil, output: context[saved.output], context)
  }

  /// All but storing the output.
  func convolve(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    projection.convolve(stored(input), context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let filtered = projection.backward(outputGradient: gradient, context)
    let own = context.expandedGradient
    projection.depthwise.backward(
      stored: stored(input), outputGradient: filtered, inputGradient: own, context)
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
}
