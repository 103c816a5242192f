internal import Kernels

/// The 1×1 head convolution, the mean over all pixels, dropout, and the classifier.
///
/// input [N, S, S, C] → features [N, S, S, F] → pooled [N, F] → logits [N, classes].
struct Head {
  /// What backward reads.
  struct Saved {
    /// The pooled features, after dropout.
    let pooled: TensorSlot
    /// What dropout multiplied each pooled feature by: 0 or 1 / (1 - rate).
    let dropoutMask: TensorSlot
    let pooledGradient: TensorSlot
    let logits: TensorSlot
    let logitGradient: TensorSlot
  }

  let convolution: ConvNorm
  let saved: Saved
  private let classifier: DenseUnit
  private let weight: Int
  private let bias: Int

  init(
    _ unit: ConvolutionUnit, classifier: DenseUnit, input: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    convolution = ConvNorm(unit, input: input, &planner)
    self.classifier = classifier
    weight = planner.table[classifier.weight].offset
    bias = planner.table[classifier.bias].offset
    planner.reserveGradient(convolution.output)
    planner.reserveScratch(
      GradientSums.count(
        parts: pooledGradientParts(batch: input.batch), channels: convolution.output.channels))
    let pooled = input.batch * classifier.inputs
    let logits = input.batch * classifier.outputs
    saved = Saved(
      pooled: planner.workspace.reserve(pooled),
      dropoutMask: planner.workspace.reserve(pooled),
      pooledGradient: planner.workspace.reserve(pooled),
      logits: planner.workspace.reserve(logits),
      logitGradient: planner.workspace.reserve(logits))
  }

  /// - Parameter dropout: nil where nothing is dropped.
  func forward(input: UnsafePointer<Float>, dropout: Dropout?, _ context: LayerContext) {
    convolution.convolve(.stored(input), context)
    context.measure(.classifier) { classify(dropout: dropout, context) }
  }

  private func classify(dropout: Dropout?, _ context: LayerContext) {
    let map = convolution.output
    let pooled = context[saved.pooled]
    globalAveragePool(
      convolution.norm.output(context), batch: map.batch, channels: map.channels, output: pooled,
      pool: context.pool)
    if let dropout {
      let mask = context[saved.dropoutMask]
      dropout.drawMask(mask, samples: map.batch, features: map.channels, pool: context.pool)
      Dropout.apply(mask, to: pooled, count: map.batch * map.channels)
    }
    denseForward(
      pooled, weight: context.weights + weight, bias: context.weights + bias, n: map.batch,
      inputs: classifier.inputs, outputs: classifier.outputs, output: context[saved.logits],
      pool: context.pool)
  }

  /// Reads the gradient of the logits and returns where that of the input is: over `input`.
  func backward(
    input: UnsafeMutablePointer<Float>, dropped: Bool, _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let features = context.expandedGradient
    context.measure(.classifier) {
      backwardClassifier(features: features, dropped: dropped, context)
    }
    convolution.backward(
      input: input, argumentGradient: features, inputGradient: input, accumulate: false, context)
    return input
  }

  /// Adds the classifier's gradients and writes that of the norm's argument to `features`.
  private func backwardClassifier(
    features: UnsafeMutablePointer<Float>, dropped: Bool, _ context: LayerContext
  ) {
    let map = convolution.output
    let pooledGradient = context[saved.pooledGradient]
    denseBackward(
      context[saved.pooled], weight: context.weights + weight,
      outputGradient: context[saved.logitGradient], n: map.batch, inputs: classifier.inputs,
      outputs: classifier.outputs, inputGradient: pooledGradient,
      weightGradient: context.gradients + weight, biasGradient: context.gradients + bias,
      pool: context.pool)
    if dropped {
      Dropout.apply(
        context[saved.dropoutMask], to: pooledGradient, count: map.batch * map.channels)
    }
    convolution.norm.backwardPooled(
      meanGradient: pooledGradient, gate: nil, gradient: features, context)
  }
}
