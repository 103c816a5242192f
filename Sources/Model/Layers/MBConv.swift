internal import Kernels

/// A 1×1 expansion, a depthwise k×k convolution, squeeze-and-excitation and a linear 1×1 projection
/// (timm `InvertedResidual`; Sandler et al., arXiv:1801.04381).
struct MBConv {
  /// What backward reads; it ends up with the gradient of what it held.
  struct Saved {
    let output: TensorSlot
  }

  let expand: ConvNorm
  let projection: FilteredProjection
  let saved: Saved
  private let hasSkip: Bool

  init(
    expand: ConvolutionUnit, depthwise: ConvolutionUnit, gate: GateUnit?,
    project: ConvolutionUnit, hasSkip: Bool, input: FeatureMap, _ planner: inout LayerPlanner
  ) {
    self.expand = ConvNorm(expand, input: input, &planner)
    planner.reserveGradient(self.expand.output)
    projection = FilteredProjection(
      depthwise: depthwise, gate: gate, project: project, input: self.expand.output, &planner)
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
    expand.convolve(.stored(input), context)
    projection.convolve(expand.norm.output(context), context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let expanded = context.expandedGradient
    let filtered = projection.backward(outputGradient: gradient, context)
    projection.depthwise.backward(
      through: expand.norm, outputGradient: filtered, argumentGradient: expanded, context)
    let inputGradient = hasSkip ? gradient : input
    expand.backward(
      input: input, argumentGradient: expanded, inputGradient: inputGradient, accumulate: hasSkip,
      context)
    return inputGradient
  }
}
