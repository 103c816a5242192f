internal import Kernels

/// A 1×1 expansion, a depthwise k×k convolution, squeeze-and-excitation and a linear 1×1 projection
/// (timm `InvertedResidual`; Sandler et al., arXiv:1801.04381).
struct MBConv {
  /// What backward reads; each place ends up with the gradient of what it held, but `filtered`,
  /// whose gradient takes the place of `gated`'s.
  struct Saved {
    let expanded: TensorSlot
    let filtered: TensorSlot
    /// Without a gate this is `filtered` itself.
    let gated: TensorSlot
    let output: TensorSlot
  }

  let expand: ConvNorm
  let depthwise: ConvNorm
  let gate: SqueezeExcitation?
  let project: ConvNorm
  let saved: Saved
  private let hasSkip: Bool

  init(
    expand: ConvolutionUnit, depthwise: ConvolutionUnit, gate: GateUnit?,
    project: ConvolutionUnit, hasSkip: Bool, input: FeatureMap, _ planner: inout LayerPlanner
  ) {
    self.expand = ConvNorm(expand, input: input, &planner)
    let expanded = planner.workspace.reserve(self.expand.output)
    self.depthwise = ConvNorm(depthwise, input: self.expand.output, &planner)
    let map = self.depthwise.output
    let filtered = planner.workspace.reserve(map)
    if let gate {
      self.gate = SqueezeExcitation(gate, input: map, &planner)
    } else {
      self.gate = nil
    }
    let gated = gate == nil ? filtered : planner.workspace.reserve(map)
    self.project = ConvNorm(project, input: map, &planner)
    saved = Saved(
      expanded: expanded, filtered: filtered, gated: gated,
      output: planner.workspace.reserve(self.project.output))
    self.hasSkip = hasSkip
  }

  func forward(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    let expanded = context[saved.expanded]
    let filtered = context[saved.filtered]
    let gated = context[saved.gated]
    expand.forward(input: input, residual: nil, output: expanded, context)
    depthwise.forward(input: expanded, residual: nil, output: filtered, context)
    gate?.forward(input: filtered, output: gated, context)
    project.forward(
      input: gated, residual: hasSkip ? UnsafePointer(input) : nil, output: context[saved.output],
      context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let expanded = context[saved.expanded]
    let gated = context[saved.gated]
    project.backward(
      input: gated, outputGradient: gradient, inputGradient: gated, accumulate: false, context)
    gate?.backward(input: context[saved.filtered], gradient: gated, context)
    depthwise.backward(
      input: expanded, outputGradient: gated, inputGradient: expanded, accumulate: false, context)
    let inputGradient = hasSkip ? gradient : input
    expand.backward(
      input: input, outputGradient: expanded, inputGradient: inputGradient, accumulate: hasSkip,
      context)
    return inputGradient
  }
}
