internal import Kernels

/// A k×k expansion with norm and SiLU, and a linear 1×1 projection with norm; also at expansion 1,
/// as the early `rw` networks have it (timm `EdgeResidual`).
struct FusedMBConv {
  /// What backward reads; it ends up with the gradient of what it held.
  struct Saved {
    let output: TensorSlot
  }

  let expand: ConvNorm
  let project: ConvNorm
  let saved: Saved
  private let hasSkip: Bool

  init(
    expand: ConvolutionUnit, project: ConvolutionUnit, hasSkip: Bool, input: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    self.expand = ConvNorm(expand, input: input, &planner)
    planner.reserveGradient(self.expand.output)
    self.project = ConvNorm(project, input: self.expand.output, &planner)
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
    expand.convolve(.stored(input), context)
    project.convolve(.normalized(expand.norm.output(context)), context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let expanded = context.expandedGradient
    project.backward(
      through: expand.norm, outputGradient: gradient, argumentGradient: expanded, context)
    let inputGradient = hasSkip ? gradient : input
    expand.backward(
      input: input, argumentGradient: expanded, inputGradient: inputGradient, accumulate: hasSkip,
      context)
    return inputGradient
  }
}
