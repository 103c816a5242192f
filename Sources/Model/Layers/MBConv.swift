internal import Kernels

/// A 1×1 expansion, a depthwise k×k convolution, squeeze-and-excitation and a linear 1×1 projection
/// (timm `InvertedResidual`; Sandler et al., arXiv:1801.04381).
struct MBConv {
  /// What backward reads; it ends up with the gradient of what it held.
  struct Saved {
    let output: TensorSlot
  }

  let expand: ConvNorm
  let depthwise: DepthwiseNorm
  let gate: Gate?
  let project: ConvNorm
  let saved: Saved
  private let hasSkip: Bool

  init(
    expand: ConvolutionUnit, depthwise: ConvolutionUnit, gate: GateUnit?,
    project: ConvolutionUnit, hasSkip: Bool, input: FeatureMap, _ planner: inout LayerPlanner
  ) {
    self.expand = ConvNorm(expand, input: input, &planner)
    planner.reserveGradient(self.expand.output)
    self.depthwise = DepthwiseNorm(depthwise, input: self.expand.output, &planner)
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
    expand.convolve(.stored(input), context)
    depthwise.convolve(expand.norm.output(context), context)
    if let gate {
      context.measure(.gate) { gate.forward(input: depthwise.norm.output(context), context) }
    }
    project.convolve(.normalized(gated(context)), context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let expanded = context.expandedGradient
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
    depthwise.backward(
      through: expand.norm, outputArgumentGradient: filtered, argumentGradient: expanded, context)
    let inputGradient = hasSkip ? gradient : input
    expand.backward(
      input: input, argumentGradient: expanded, inputGradient: inputGradient, accumulate: hasSkip,
      context)
    return inputGradient
  }

  /// The filtered map behind its gates.
  private func gated(_ context: LayerContext) -> NormalizedMap {
    depthwise.norm.output(context, gate: gate?.gates)
  }
}
