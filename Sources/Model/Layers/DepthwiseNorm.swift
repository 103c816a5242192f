internal import Kernels

/// A depthwise convolution of a normalised map, batch norm, and an activation.
struct DepthwiseNorm {
  let norm: TrainingNorm
  private let convolution: DepthwiseConvolution
  private let weight: Int
  private let trainsWeight: Bool

  init(_ unit: ConvolutionUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    let shape = ConvolutionShape(unit, input: input, padding: planner.padding)
    convolution = DepthwiseConvolution(shape, pool: planner.pool)
    weight = planner.table[unit.weight].offset
    trainsWeight = planner.freezing.trains(unit.weight)
    norm = TrainingNorm(unit, output: shape.outputMap, &planner)
    planner.reserveScratch(
      convolution.momentFloats,
      GradientSums.count(parts: convolution.gradientParts, channels: input.channels))
  }

  /// Convolves, and moves the running statistics; the map that follows is `norm.output`.
  func convolve(_ input: NormalizedMap, _ context: LayerContext) {
    context.measure(.depthwise) {
      convolution.forward(
        input: input, weight: context.weights + weight, output: context[norm.saved.input],
        mean: context[norm.saved.mean], variance: context[norm.saved.variance],
        scratch: context.scratch)
      norm.updateStatistics(context)
    }
  }

  /// Backward from the gradient of the own norm's argument, whose sums are joined, to that of the
  /// norm in front, whose sums are joined too.
  func backward(
    through front: TrainingNorm, outputGradient: ArgumentGradient,
    argumentGradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    context.measure(.depthwise) {
      let sums = front.sums(parts: convolution.gradientParts, context)
      backward(
        front.output(context), outputGradient: outputGradient, argumentGradient: argumentGradient,
        sums: sums, context)
      front.join(sums, parts: convolution.gradientParts, context)
    }
  }

  /// The same to a stored map, read through an identity norm.
  func backward(
    stored input: NormalizedMap, outputGradient: ArgumentGradient,
    inputGradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    context.measure(.depthwise) {
      let sums = GradientSums(
        context.scratch, parts: convolution.gradientParts,
        channels: convolution.shape.inputChannels)
      backward(
        input, outputGradient: outputGradient, argumentGradient: inputGradient, sums: sums,
        context)
    }
  }

  private func backward(
    _ input: NormalizedMap, outputGradient: ArgumentGradient,
    argumentGradient: UnsafeMutablePointer<Float>, sums: GradientSums, _ context: LayerContext
  ) {
    convolution.backward(
      input: input, weight: context.weights + weight, output: norm.output(context),
      outputGradient: outputGradient, outputTotals: context[norm.saved.totals],
      weightGradient: trainsWeight ? context.gradients + weight : nil,
      argumentGradient: argumentGradient, sums: sums)
  }
}
