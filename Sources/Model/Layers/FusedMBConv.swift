internal import Kernels

/// A k×k expansion with norm and SiLU, and a linear 1×1 projection with norm; also at expansion 1,
/// as the early `rw` networks have it (timm `EdgeResidual`).
struct FusedMBConv {
  /// What backward reads; each place ends up with the gradient of what it held.
  struct Saved {
    let expanded: TensorSlot
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
    let expanded = planner.workspace.reserve(self.expand.output)
    self.project = ConvNorm(project, input: self.expand.output, &planner)
    saved = Saved(
      expanded: expanded, output: planner.workspace.reserve(self.project.output))
    self.hasSkip = hasSkip
  }

  func forward(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    let expanded = context[saved.expanded]
    expand.forward(input: input, residual: nil, output: expanded, context)
    project.forward(
      input: expanded, residual: hasSkip ? UnsafePointer(input) : nil,
      output: context[saved.output], context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let expanded = context[saved.expanded]
    project.backward(
      input: expanded, outputGradient: gradient, inputGradient: expanded, accumulate: false,
      context)
    let inputGradient = hasSkip ? gradient : input
    expand.backward(
      input: input, outputGradient: expanded, inputGradient: inputGradient, accumulate: hasSkip,
      context)
    return inputGradient
  }
}
