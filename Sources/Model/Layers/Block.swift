internal import Kernels

/// A residual block of any kind.
///
/// In backward a gradient needs no memory of its own: it is written over the activation that it
/// belongs to, once that has been read for the last time.
enum Block {
  case convolution(ConvolutionBlock)
  case fused(FusedMBConv)
  case inverted(MBConv)
  case separable(DepthwiseSeparable)

  init(_ unit: BlockUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    switch unit.body {
    case .convolution(let body):
      self = .convolution(
        ConvolutionBlock(body, hasSkip: unit.hasSkip, input: input, &planner))
    case .fused(let expand, let project):
      self = .fused(
        FusedMBConv(
          expand: expand, project: project, hasSkip: unit.hasSkip, input: input, &planner))
    case .inverted(let expand, let depthwise, let gate, let project):
      self = .inverted(
        MBConv(
          expand: expand, depthwise: depthwise, gate: gate, project: project,
          hasSkip: unit.hasSkip, input: input, &planner))
    case .separable(let depthwise, let gate, let project):
      self = .separable(
        DepthwiseSeparable(
          depthwise: depthwise, gate: gate, project: project, hasSkip: unit.hasSkip, input: input,
          &planner))
    }
  }

  /// The map that comes out.
  var output: FeatureMap {
    switch self {
    case .convolution(let block): block.convolution.output
    case .fused(let block): block.project.output
    case .inverted(let block): block.projection.project.output
    case .separable(let block): block.projection.project.output
    }
  }

  /// Where the output is.
  var outputSlot: TensorSlot {
    switch self {
    case .convolution(let block): block.saved.output
    case .fused(let block): block.saved.output
    case .inverted(let block): block.saved.output
    case .separable(let block): block.saved.output
    }
  }

  func forward(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    switch self {
    case .convolution(let block): block.forward(input: input, context)
    case .fused(let block): block.forward(input: input, context)
    case .inverted(let block): block.forward(input: input, context)
    case .separable(let block): block.forward(input: input, context)
    }
  }

  /// Computes the inner maps again, as `forward` left them; the output stays as it is.
  func recompute(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    switch self {
    case .convolution(let block): block.convolution.convolve(.stored(input), context)
    case .fused(let block): block.convolve(input: input, context)
    case .inverted(let block): block.convolve(input: input, context)
    case .separable(let block): block.convolve(input: input, context)
    }
  }

  /// Consumes the gradient of the output and returns where that of the input is: over `input`, or
  /// over `gradient` in a block with a skip connection.
  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    switch self {
    case .convolution(let block): block.backward(input: input, gradient: gradient, context)
    case .fused(let block): block.backward(input: input, gradient: gradient, context)
    case .inverted(let block): block.backward(input: input, gradient: gradient, context)
    case .separable(let block): block.backward(input: input, gradient: gradient, context)
    }
  }
}

/// One k×k convolution with norm and SiLU; the skip is added after the activation.
struct ConvolutionBlock {
  struct Saved {
    let output: TensorSlot
  }

  let convolution: ConvNorm
  let saved: Saved
  private let hasSkip: Bool

  init(
    _ unit: ConvolutionUnit, hasSkip: Bool, input: FeatureMap, _ planner: inout LayerPlanner
  ) {
    convolution = ConvNorm(unit, input: input, &planner)
    saved = Saved(output: planner.workspace.reserve(convolution.output))
    self.hasSkip = hasSkip
  }

  func forward(input: UnsafeMutablePointer<Float>, _ context: LayerContext) {
    convolution.forward(
      input: .stored(input), residual: hasSkip ? UnsafePointer(input) : nil,
      output: context[saved.output], context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, gradient: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let inputGradient = hasSkip ? gradient : input
    convolution.backward(
      input: input, outputGradient: gradient, inputGradient: inputGradient, accumulate: hasSkip,
      context)
    return inputGradient
  }
}
