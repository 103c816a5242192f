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
  private let unit: DenseUnit
  private let batch: Int
  private let weight: Int
  private let bias: Int
  private let trainsWeight: Bool
  private let trainsBias: Bool
  /// Whether anything in front of the classifier trains.
  let wantsFeatureGradient: Bool

  init(_ unit: DenseUnit, batch: Int, _ planner: inout LayerPlanner) {
    self.unit = unit
    self.batch = batch
    weight = planner.table[unit.weight].offset
    bias = planner.table[unit.bias].offset
    trainsWeight = planner.freezing.trains(unit.weight)
    trainsBias = planner.freezing.trains(unit.bias)
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
      dropout.drawMask(mask, samples: batch, features: unit.inputs, pool: context.pool)
      Dropout.apply(mask, to: features, count: batch * unit.inputs)
    }
    denseForward(
      features, weight: context.weights + weight, bias: context.weights + bias, n: batch,
      inputs: unit.inputs, outputs: unit.outputs, output: context[saved.logits],
      pool: context.pool)
  }

  /// Reads the gradient of the logits, adds the classifier's, and writes that of the features if it
  /// is wanted.
  func backward(dropped: Bool, _ context: LayerContext) {
    let gradient = context[saved.featureGradient]
    denseBackward(
      context[saved.features], weight: context.weights + weight,
      outputGradient: context[saved.logitGradient], n: batch, inputs: unit.inputs,
      outputs: unit.outputs, inputGradient: wantsFeatureGradient ? gradient : nil,
      weightGradient: trainsWeight ? context.gradients + weight : nil,
      biasGradient: trainsBias ? context.gradients + bias : nil, pool: context.pool)
    if dropped, wantsFeatureGradient {
      Dropout.apply(context[saved.dropoutMask], to: gradient, count: batch * unit.inputs)
    }
  }
}
