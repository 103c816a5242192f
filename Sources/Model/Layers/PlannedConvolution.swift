internal import Kernels

/// A unit's convolution, planned for a map: dense or depthwise, with the same three passes.
struct PlannedConvolution {
  private enum Plan {
    case dense(Convolution)
    case depthwise(DepthwiseConvolution)
  }

  /// The map that comes out.
  let output: FeatureMap
  private let plan: Plan

  init(_ unit: ConvolutionUnit, input: FeatureMap, padding: Padding, pool: ThreadPool) {
    let shape = ConvolutionShape(unit, input: input, padding: padding)
    self.init(shape, isDepthwise: unit.isDepthwise, pool: pool)
  }

  init(_ shape: ConvolutionShape, isDepthwise: Bool, pool: ThreadPool) {
    output = FeatureMap(
      batch: shape.batch, size: shape.outputHeight, channels: shape.outputChannels)
    plan =
      isDepthwise
      ? .depthwise(DepthwiseConvolution(shape, pool: pool))
      : .dense(Convolution(shape, pool: pool))
  }

  /// output = convolution(input).
  func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    switch plan {
    case .dense(let convolution):
      convolution.forward(input: input, weight: weight, output: output)
    case .depthwise(let convolution):
      convolution.forward(input: input, weight: weight, output: output)
    }
  }

  /// Adds the gradient of the weight.
  func backwardWeight(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    switch plan {
    case .dense(let convolution):
      convolution.backwardWeight(
        input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    case .depthwise(let convolution):
      convolution.backwardWeight(
        input: input, outputGradient: outputGradient, weightGradient: weightGradient)
    }
  }

  /// Writes, or adds with `accumulate`, the gradient of the input.
  func backwardInput(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    switch plan {
    case .dense(let convolution):
      convolution.backwardInput(
        outputGradient: outputGradient, weight: weight, inputGradient: inputGradient,
        accumulate: accumulate)
    case .depthwise(let convolution):
      convolution.backwardInput(
        outputGradient: outputGradient, weight: weight, inputGradient: inputGradient,
        accumulate: accumulate)
    }
  }
}

extension ConvolutionShape {
  /// The geometry of a unit on a square map.
  init(_ unit: ConvolutionUnit, input: FeatureMap, padding: Padding) {
    precondition(input.channels == unit.inputChannels, "a layer got another layer's input")
    let (size, before) = padding.resolve(
      input: input.size, kernel: unit.kernel, stride: unit.stride)
    self.init(
      batch: input.batch, inputHeight: input.size, inputWidth: input.size,
      inputChannels: input.channels, outputHeight: size, outputWidth: size,
      outputChannels: unit.outputChannels, kernel: unit.kernel, stride: unit.stride,
      padTop: before, padLeft: before)
  }
}
