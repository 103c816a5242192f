internal import Kernels

/// Dropout of an image's features, and the classifier: features [N, F] → logits [N, classes].
struct ClassifierHead {
  /// What backward reads.
  struct Saved {
    /// The features, after dropout; filled before `forward`.
    let features: TensorSlot
    /// What dropout multiplied each feature by: 0 or 1 / (1 - rate).
    let dropoutMask: TensorSlot
    let featureGradient: TensorSlot
    let logits: TensorSlot
    let logitGradient: TensorSlot
  }

  let saved: Saved
  private let layer: DenseLayer
  private let batch: Int
  /// Whether anything in front of the classifier trains.
  let wantsFeatureGradient: Bool

  init(_ unit: DenseUnit, batch: Int, _ planner: inout LayerPlanner) {
    layer = DenseLayer(unit, rows: batch, &planner)
    self.batch = batch
    wantsFeatureGradient = planner.freezing.trainsBefore(unit.weight)
    let features = batch * unit.inputs
    let logits = batch * unit.outputs
    saved = Saved(
      features: planner.workspace.reserve(features),
      dropoutMask: planner.workspace.reserve(features),
      featureGradient: planner.workspace.reserve(features),
      logits: planner.workspace.reserve(logits),
      logitGradient: planner.workspace.reserve(logits))
  }

  /// - Parameter dropout: nil where nothing is dropped.
  func forward(dropout: Dropout?, _ context: LayerContext) {
    let features = context[saved.features]
    if let dropout {
      let mask = context[saved.dropoutMask]
      dropout.drawMask(mask, samples: batch, features: layer.inputs, pool: context.pool)
      Dropout.apply(mask, to: features, count: batch * layer.inputs)
    }
    layer.forward(
      features, rows: batch, output: context[saved.logits], weights: context.weights,
      pool: context.pool)
  }

  /// Reads the gradient of the logits, gives the classifier's, and writes that of the features if it
  /// is wanted.
  func backward(dropped: Bool, _ context: LayerContext) {
    let gradient = context[saved.featureGradient]
    layer.backward(
      context[saved.features], rows: batch, outputGradient: context[saved.logitGradient],
      inputGradient: wantsFeatureGradient ? gradient : nil, context)
    if dropped, wantsFeatureGradient {
      Dropout.apply(context[saved.dropoutMask], to: gradient, count: batch * layer.inputs)
    }
  }
}
