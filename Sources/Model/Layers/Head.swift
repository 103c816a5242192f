internal import Kernels

/// The 1×1 head convolution, the pooling of all pixels, dropout, and the classifier.
///
/// input [N, S, S, C] → features [N, S, S, F] → pooled [N, P] → logits [N, classes].
struct Head {
  let convolution: ConvNorm
  let classifier: ClassifierHead
  private let pooling: HeadPooling

  init(
    _ unit: ConvolutionUnit, classifier: DenseUnit, input: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    convolution = ConvNorm(unit, input: input, &planner)
    self.classifier = ClassifierHead(classifier, batch: input.batch, &planner)
    planner.reserveGradient(convolution.output)
    pooling = HeadPooling(convolution.output, &planner)
  }

  /// - Parameter dropout: nil where nothing is dropped.
  func forward(input: UnsafePointer<Float>, dropout: Dropout?, _ context: LayerContext) {
    convolution.convolve(.stored(input), context)
    context.measure(.classifier) {
      pooling.forward(
        convolution.norm, features: context[classifier.saved.features], context)
      classifier.forward(dropout: dropout, context)
    }
  }

  /// Reads the gradient of the logits and returns where that of the input is, if anything in front
  /// trains: over `input`.
  func backward(
    input: UnsafeMutablePointer<Float>, dropped: Bool, _ context: LayerContext
  ) -> UnsafeMutablePointer<Float> {
    let features = context.expandedGradient
    context.measure(.classifier) { classifier.backward(dropped: dropped, context) }
    guard classifier.wantsFeatureGradient else { return input }
    context.measure(.classifier) {
      pooling.backward(
        convolution.norm, featureGradient: context[classifier.saved.featureGradient],
        gradient: features, context)
    }
    convolution.backward(
      input: input, argumentGradient: features, inputGradient: input, accumulate: false, context)
    return input
  }
}
