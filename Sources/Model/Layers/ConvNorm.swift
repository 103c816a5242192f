internal import Kernels

/// A dense convolution, batch norm with the batch's own statistics, and an activation.
///
/// Shapes: input [N, S, S, C], output [N, S', S', K].
struct ConvNorm {
  let norm: TrainingNorm
  /// The map that comes out.
  var output: FeatureMap { norm.map }
  private let convolution: Convolution
  private let weight: Int
  private let trainsWeight: Bool
  /// Whether anything in front has a use for the gradient of a stored input.
  private let wantsInputGradient: Bool

  init(_ unit: ConvolutionUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    let shape = ConvolutionShape(unit, input: input, padding: planner.padding)
    convolution = Convolution(shape, pool: planner.pool)
    weight = planner.table[unit.weight].offset
    planner.writesGradient(of: unit.weight)
    trainsWeight = planner.freezing.trains(unit.weight)
    wantsInputGradient = planner.freezing.trainsBefore(unit.weight)
    norm = TrainingNorm(unit, output: shape.outputMap, &planner)
    planner.reserveScratch(
      convolution.momentFloats, norm.scratchFloats,
      GradientSums.count(parts: convolution.gradientParts, channels: input.channels))
  }

  /// Convolves, and moves the running statistics; the map that follows is `norm.output`.
  func convolve(_ input: ConvolutionInput, _ context: LayerContext) {
    context.measure(.convolution) {
      convolution.forward(
        input: input, weight: context.weights + weight, output: context[norm.saved.input],
        mean: context[norm.saved.mean], variance: context[norm.saved.variance],
        scratch: context.scratch)
      norm.updateStatistics(context)
    }
  }

  /// output = activation(norm(convolution(input))) + residual; moves the running statistics.
  func forward(
    input: ConvolutionInput, residual: UnsafePointer<Float>?,
    output target: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    convolve(input, context)
    norm.finish(residual: residual, output: target, context)
  }

  /// Writes the gradient of the weight, adds those of scale and shift, and writes that of the input
  /// where it is wanted: asked for, and of use to something in front that trains.
  ///
  /// The gradient of the convolution's result replaces the result, so `outputGradient` is still
  /// there afterwards for a skip connection. `inputGradient` may alias `input`, whose last reader
  /// this is, or, accumulating, `outputGradient`.
  func backward(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, _ context: LayerContext
  ) {
    let inputGradient = wantsInputGradient ? inputGradient : nil
    if inputGradient == nil, trainsWeight, convolution.takesComputedGradient {
      // Nobody else reads the gradient of the convolution's result: a stem's is never stored.
      let gradient = norm.gradient(outputGradient: outputGradient, context)
      return backwardWeight(.stored(input), .computed(gradient), context)
    }
    norm.backward(outputGradient: outputGradient, context)
    backwardConvolution(
      input: input, inputGradient: inputGradient, accumulate: accumulate, context)
  }

  /// The same from the gradient of the norm's argument, whose sums are joined.
  func backward(
    input: UnsafePointer<Float>, argumentGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, _ context: LayerContext
  ) {
    norm.backward(argumentGradient: argumentGradient, context)
    backwardConvolution(
      input: input, inputGradient: inputGradient, accumulate: accumulate, context)
  }

  private func backwardConvolution(
    input: UnsafePointer<Float>, inputGradient: UnsafeMutablePointer<Float>?, accumulate: Bool,
    _ context: LayerContext
  ) {
    if let inputGradient, wantsInputGradient {
      backwardBoth(.stored(input), inputGradient, accumulate: accumulate, context)
    } else if trainsWeight {
      backwardWeight(.stored(input), .stored(context[norm.saved.input]), context)
    }
  }

  private func backwardWeight(
    _ input: ConvolutionInput, _ outputGradient: OutputGradient, _ context: LayerContext
  ) {
    context.measure(.weightGradient) {
      convolution.backwardWeight(
        input: input, outputGradient: outputGradient, weightGradient: context.gradients + weight)
    }
  }

  private func backwardBoth(
    _ input: ConvolutionInput, _ inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool,
    _ context: LayerContext
  ) {
    let weightGradient = joinedWeightGradient(input, context)
    context.measure(.inputGradient) {
      convolution.backwardInput(
        outputGradient: context[norm.saved.input], weight: context.weights + weight,
        inputGradient: inputGradient, accumulate: accumulate,
        weightGradient: weightGradient.map { (input, $0) })
    }
  }

  /// Where the weight's gradient is computed together with the input's: nil if it does not train, or is
  /// computed here because a profile tells the two apart.
  private func joinedWeightGradient(_ input: ConvolutionInput, _ context: LayerContext)
    -> UnsafeMutablePointer<Float>?
  {
    guard trainsWeight else { return nil }
    if context.profile == nil { return context.gradients + weight }
    backwardWeight(input, .stored(context[norm.saved.input]), context)
    return nil
  }

  /// Backward to a gated map: `inputGradient` is that of the map behind the gates.
  func backward(
    gated input: NormalizedMap, outputGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    norm.backward(outputGradient: outputGradient, context)
    backwardBoth(.normalized(input), inputGradient, accumulate: false, context)
  }

  /// Backward to the argument of the norm in front, whose sums are joined.
  func backward(
    through front: TrainingNorm, outputGradient: UnsafePointer<Float>,
    argumentGradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    norm.backward(outputGradient: outputGradient, context)
    let input = front.output(context)
    let weightGradient = joinedWeightGradient(.normalized(input), context)
    context.measure(.inputGradient) {
      let sums = front.sums(parts: convolution.gradientParts, context)
      convolution.backwardInput(
        outputGradient: context[norm.saved.input], weight: context.weights + weight,
        through: input, argumentGradient: argumentGradient, sums: sums,
        weightGradient: weightGradient)
      front.join(sums, parts: convolution.gradientParts, context)
    }
  }
}

extension ConvolutionShape {
  /// The geometry of a unit on a square map.
  init(_ unit: ConvolutionUnit, input: FeatureMap, padding: Padding) {
    precondition(input.channels == unit.inputChannels, "a layer got another layer's input")
    self.init(
      input: input, outputs: unit.outputChannels, kernel: unit.kernel, stride: unit.stride,
      padding: padding)
  }

  /// A fully connected layer of many rows as a 1x1 convolution.
  init(_ unit: DenseUnit, rows: Int) {
    self.init(
      input: FeatureMap(batch: rows, size: 1, channels: unit.inputs), outputs: unit.outputs,
      kernel: 1, stride: 1, padding: .symmetric)
  }

  /// The geometry of a square kernel on a square map.
  init(input: FeatureMap, outputs: Int, kernel: Int, stride: Int, padding: Padding) {
    let (size, before) = padding.resolve(input: input.size, kernel: kernel, stride: stride)
    self.init(
      batch: input.batch, inputHeight: input.size, inputWidth: input.size,
      inputChannels: input.channels, outputHeight: size, outputWidth: size,
      outputChannels: outputs, kernel: kernel, stride: stride, padTop: before, padLeft: before)
  }

  /// The map that comes out.
  var outputMap: FeatureMap {
    FeatureMap(batch: batch, size: outputHeight, channels: outputChannels)
  }
}
