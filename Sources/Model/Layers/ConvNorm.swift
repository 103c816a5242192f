internal import Kernels

/// A convolution, batch norm with the batch's own statistics, and an activation.
///
/// Shapes: input [N, S, S, C], output [N, S', S', K].
struct ConvNorm {
  /// What backward reads, and where each is.
  struct Saved {
    /// The convolution's result, which backward overwrites with its gradient.
    let convolved: TensorSlot
    /// Each channel's mean, biased variance and 1/deviation over the batch.
    let mean: TensorSlot
    let variance: TensorSlot
    let inverseDeviation: TensorSlot
  }

  /// The map that comes out.
  var output: FeatureMap { convolution.output }
  let saved: Saved
  private let convolution: PlannedConvolution
  private let activation: Activation
  private let weight: Int
  private let scale: Int
  private let shift: Int
  private let runningMean: Int
  private let runningVariance: Int
  private let batchCount: Int
  private let epsilon: Float
  private let momentum: Float

  init(_ unit: ConvolutionUnit, input: FeatureMap, _ planner: inout LayerPlanner) {
    convolution = PlannedConvolution(
      unit, input: input, padding: planner.padding, pool: planner.pool)
    activation = unit.activation
    weight = planner.table[unit.weight].offset
    scale = planner.table[unit.norm.scale].offset
    shift = planner.table[unit.norm.shift].offset
    runningMean = planner.table[unit.norm.mean].offset
    runningVariance = planner.table[unit.norm.variance].offset
    batchCount = planner.table[unit.norm.batchCount].offset
    epsilon = planner.epsilon
    momentum = planner.momentum
    saved = Saved(
      convolved: planner.workspace.reserve(convolution.output),
      mean: planner.workspace.reserve(unit.outputChannels),
      variance: planner.workspace.reserve(unit.outputChannels),
      inverseDeviation: planner.workspace.reserve(unit.outputChannels))
    planner.widestNorm = max(planner.widestNorm, unit.outputChannels)
    planner.fewestRows = min(planner.fewestRows, convolution.output.rows)
  }

  /// output = activation(norm(convolution(input))) + residual; moves the running statistics.
  func forward(
    input: UnsafePointer<Float>, residual: UnsafePointer<Float>?,
    output target: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let convolved = context[saved.convolved]
    convolution.forward(input: input, weight: context.weights + weight, output: convolved)
    batchNormStatistics(
      convolved, rows: output.rows, channels: output.channels, mean: context[saved.mean],
      variance: context[saved.variance], scratch: context.scratch, pool: context.pool)
    updateStatistics(context)
    batchNormForward(
      convolved, rows: output.rows, channels: output.channels, mean: context[saved.mean],
      inverseDeviation: context[saved.inverseDeviation], gamma: context.weights + scale,
      beta: context.weights + shift, activation: activation, residual: residual, output: target,
      pool: context.pool)
  }

  /// Adds the gradients of weight, scale and shift, and writes that of the input where it is wanted.
  ///
  /// The gradient of the convolution's result replaces the result, so `outputGradient` is still
  /// there afterwards for a skip connection. `inputGradient` may alias `input`, whose last reader
  /// this is, or, accumulating, `outputGradient`.
  func backward(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>?, accumulate: Bool, _ context: LayerContext
  ) {
    let convolved = context[saved.convolved]
    batchNormBackward(
      convolved, outputGradient: outputGradient, rows: output.rows, channels: output.channels,
      mean: context[saved.mean], inverseDeviation: context[saved.inverseDeviation],
      gamma: context.weights + scale, beta: context.weights + shift, activation: activation,
      inputGradient: convolved, gammaGradient: context.gradients + scale,
      betaGradient: context.gradients + shift, scratch: context.scratch, pool: context.pool)
    convolution.backwardWeight(
      input: input, outputGradient: convolved, weightGradient: context.gradients + weight)
    guard let inputGradient else { return }
    convolution.backwardInput(
      outputGradient: convolved, weight: context.weights + weight, inputGradient: inputGradient,
      accumulate: accumulate)
  }

  /// The reciprocal deviations, and the running statistics as PyTorch moves them: towards the
  /// batch's mean and its unbiased variance.
  private func updateStatistics(_ context: LayerContext) {
    let mean = context[saved.mean]
    let variance = context[saved.variance]
    let inverseDeviation = context[saved.inverseDeviation]
    let runningMean = context.statistics + runningMean
    let runningVariance = context.statistics + runningVariance
    let unbiased = Float(output.rows) / Float(output.rows - 1)
    for channel in 0..<output.channels {
      inverseDeviation[channel] = 1 / (variance[channel] + epsilon).squareRoot()
      runningMean[channel] = (1 - momentum) * runningMean[channel] + momentum * mean[channel]
      runningVariance[channel] =
        (1 - momentum) * runningVariance[channel] + momentum * unbiased * variance[channel]
    }
    context.counters[batchCount] += 1
  }
}
