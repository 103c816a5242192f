internal import Kernels

/// A batch norm with the batch's own statistics, or with constant running ones, and the activation
/// behind it.
///
/// The map that it makes is computed by its readers, row by row; `finish` stores it where it must
/// be stored. Shapes: [N, S, S, K] in and out.
struct TrainingNorm {
  /// What backward reads, and where each is.
  struct Saved {
    /// The norm's input, the convolution's result.
    let input: TensorSlot
    /// Each channel's mean, biased variance and 1/deviation over the batch, and the latter times the
    /// scale.
    let mean: TensorSlot
    let variance: TensorSlot
    let inverseDeviation: TensorSlot
    let factor: TensorSlot
    /// The joined sums of the argument's gradient, [2][K].
    let totals: TensorSlot
  }

  let map: FeatureMap
  let saved: Saved
  private let activation: Activation
  private let scale: Int
  private let shift: Int
  private let runningMean: Int
  private let runningVariance: Int
  private let batchCount: Int
  private let epsilon: Float
  private let momentum: Float
  /// Whether the running statistics are what it normalises by, and stay as they are.
  private let isConstant: Bool

  init(_ unit: ConvolutionUnit, output: FeatureMap, _ planner: inout LayerPlanner) {
    map = output
    activation = unit.activation
    scale = planner.table[unit.norm.scale].offset
    shift = planner.table[unit.norm.shift].offset
    runningMean = planner.table[unit.norm.mean].offset
    runningVariance = planner.table[unit.norm.variance].offset
    batchCount = planner.table[unit.norm.batchCount].offset
    epsilon = planner.epsilon
    momentum = planner.momentum
    isConstant = planner.freezing.fixesStatistics(of: unit.norm)
    saved = Saved(
      input: planner.reserveInner(output),
      mean: planner.workspace.reserve(output.channels),
      variance: planner.workspace.reserve(output.channels),
      inverseDeviation: planner.workspace.reserve(output.channels),
      factor: planner.workspace.reserve(output.channels),
      totals: planner.workspace.reserve(2 * output.channels))
    if !isConstant { planner.fewestRows = min(planner.fewestRows, output.rows) }
  }

  /// The floats of scratch that `backward` needs.
  var scratchFloats: Int {
    GradientSums.count(
      parts: batchNormParts(rows: map.rows, channels: map.channels), channels: map.channels)
  }

  private func parameters(_ context: LayerContext) -> NormParameters {
    NormParameters(
      mean: context[saved.mean], inverseDeviation: context[saved.inverseDeviation],
      factor: context[saved.factor], beta: context.weights + shift)
  }

  /// activation(norm(input)), times the gates where there are some, for whoever reads it.
  func output(_ context: LayerContext, gate: TensorSlot? = nil) -> NormalizedMap {
    NormalizedMap(
      x: context[saved.input], norm: parameters(context), activation: activation,
      gate: gate.map { UnsafePointer(context[$0]) }, rowsPerImage: map.spatial)
  }

  /// Stores activation(norm(input)) + residual.
  func finish(
    residual: UnsafePointer<Float>?, output target: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) {
    context.measure(.norm) {
      batchNormForward(
        context[saved.input], rows: map.rows, channels: map.channels, norm: parameters(context),
        activation: activation, residual: residual, output: target, pool: context.pool)
    }
  }

  /// From the mean and the variance: what normalises, and the running statistics as PyTorch moves
  /// them, towards the batch's mean and its unbiased variance. Constant running statistics take the
  /// place of the batch's instead.
  func updateStatistics(_ context: LayerContext) {
    let mean = context[saved.mean]
    let variance = context[saved.variance]
    let inverseDeviation = context[saved.inverseDeviation]
    let runningMean = context.statistics + runningMean
    let runningVariance = context.statistics + runningVariance
    if isConstant {
      mean.update(from: runningMean, count: map.channels)
      variance.update(from: runningVariance, count: map.channels)
    }
    let (factor, scale) = (context[saved.factor], context.weights + scale)
    for channel in 0..<map.channels {
      inverseDeviation[channel] = 1 / (variance[channel] + epsilon).squareRoot()
      factor[channel] = inverseDeviation[channel] * scale[channel]
    }
    if context.isRecomputing || isConstant { return }
    let momentum = context.normShare ?? momentum
    let unbiased = Float(map.rows) / Float(map.rows - 1)
    for channel in 0..<map.channels {
      runningMean[channel] = (1 - momentum) * runningMean[channel] + momentum * mean[channel]
      runningVariance[channel] =
        (1 - momentum) * runningVariance[channel] + momentum * unbiased * variance[channel]
    }
    context.counters[batchCount] += 1
  }

  /// Adds the gradients of scale and shift and turns the norm's input into its gradient.
  func backward(outputGradient: UnsafePointer<Float>, _ context: LayerContext) {
    let gradient = gradient(outputGradient: outputGradient, context)
    context.measure(.norm) {
      gradient.write(rows: map.rows, to: context[saved.input], pool: context.pool)
    }
  }

  /// The same, but that the gradient of the norm's input is left to its reader.
  func gradient(outputGradient: UnsafePointer<Float>, _ context: LayerContext) -> NormGradient {
    context.measure(.norm) {
      batchNormGradient(
        context[saved.input], outputGradient: outputGradient, rows: map.rows,
        channels: map.channels, norm: parameters(context), hasConstantStatistics: isConstant,
        activation: activation, gammaGradient: context.gradients + scale,
        betaGradient: context.gradients + shift, totals: context[saved.totals],
        scratch: context.scratch, pool: context.pool)
    }
  }

  /// Room for the sums of the argument's gradient in a number of parts.
  func sums(parts: Int, _ context: LayerContext) -> GradientSums {
    GradientSums(context.scratch, parts: parts, channels: map.channels)
  }

  /// Adds the gradients of scale and shift from the sums, and keeps their totals.
  func join(_ sums: GradientSums, parts: Int, _ context: LayerContext) {
    sums.join(
      parts: parts, rows: map.rows, norm: parameters(context), hasConstantStatistics: isConstant,
      totals: context[saved.totals], gammaGradient: context.gradients + scale,
      betaGradient: context.gradients + shift)
  }

  /// Writes the gradient of the norm's argument over `gradient`, that of the output behind the gates,
  /// and joins its sums. `meanGradient` [N, K] is that of the output's mean over each image; without
  /// a gate it is the only gradient, but for that of the largest values where those are used.
  func backwardPooled(
    meanGradient: UnsafePointer<Float>,
    maxima: (gradient: UnsafePointer<Float>, places: UnsafePointer<Float>)? = nil,
    gate: TensorSlot?,
    gradient: UnsafeMutablePointer<Float>, _ context: LayerContext
  ) {
    let parts = pooledGradientParts(batch: map.batch)
    let sums = sums(parts: parts, context)
    pooledArgumentGradient(
      output(context, gate: gate), meanGradient: meanGradient, batch: map.batch,
      channels: map.channels, gradient: gradient, sums: sums, pool: context.pool)
    if let maxima {
      addMaximumGradient(
        output(context), maximumGradient: maxima.gradient, places: maxima.places,
        batch: map.batch, channels: map.channels, gradient: gradient, sums: sums,
        pool: context.pool)
    }
    join(sums, parts: parts, context)
  }

  /// Turns the norm's input into its gradient, from that of the argument and the totals.
  func backward(argumentGradient: UnsafePointer<Float>, _ context: LayerContext) {
    let input = context[saved.input]
    context.measure(.norm) {
      batchNormInputGradient(
        input, argumentGradient: argumentGradient, rows: map.rows, channels: map.channels,
        norm: parameters(context), totals: context[saved.totals], inputGradient: input,
        pool: context.pool)
    }
  }
}
