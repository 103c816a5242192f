internal import Kernels

/// The second half of a block with a depthwise convolution: its norm, a gate, and a linear 1×1
/// projection. Only the projection's result is stored besides the filtered map.
struct FilteredProjection {
  let depthwise: DepthwiseNorm
  let gate: Gate?
  let project: ConvNorm

  /// - Parameter input: what the depthwise convolution reads.
  init(
    depthwise: ConvolutionUnit, gate: GateUnit?, project: ConvolutionUnit, input: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    self.depthwise = DepthwiseNorm(depthwise, input: input, &planner)
    let map = self.depthwise.norm.map
    planner.reserveFilteredGradient(map)
    self.gate = gate.map { Gate($0, input: map, &planner) }
    self.project = ConvNorm(project, input: map, &planner)
  }

  /// All but the projection's norm.
  func convolve(_ input: NormalizedMap, _ context: LayerContext) {
    depthwise.convolve(input, context)
    if let gate {
      context.measure(.gate) { gate.forward(input: depthwise.norm.output(context), context) }
    }
    project.convolve(.normalized(gated(context)), context)
  }

  /// The gradient of the argument of the depthwise convolution's norm, whose sums are joined: it, or
  /// what it is computed from, is in `context.filteredGradient`.
  func backward(
    outputGradient: UnsafePointer<Float>, _ context: LayerContext
  ) -> ArgumentGradient {
    let filtered = context.filteredGradient
    if let gate {
      project.backward(
        gated: gated(context), outputGradient: outputGradient, inputGradient: filtered, context)
      return context.measure(.gate) {
        gate.backward(through: depthwise.norm, gradient: filtered, context)
      }
    } else {
      project.backward(
        through: depthwise.norm, outputGradient: outputGradient, argumentGradient: filtered,
        context)
      return .stored(filtered)
    }
  }

  /// The filtered map behind its gates.
  private func gated(_ context: LayerContext) -> NormalizedMap {
    depthwise.norm.output(context, gate: gate?.gates)
  }
}
