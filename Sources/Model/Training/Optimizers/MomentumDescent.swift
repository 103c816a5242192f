import Kernels

/// Stochastic gradient descent with momentum, with or without Nesterov's look ahead.
///
/// As in PyTorch: d = gradient + decay · weight; b = momentum · b + d; the weight moves by
/// -rate · (d + momentum · b) with Nesterov and by -rate · b without (Sutskever et al., "On the
/// importance of initialization and momentum in deep learning", ICML 2013). Weight decay spares biases
/// and norms, as in timm.
final class MomentumDescent: Optimizer {
  let slots: [OptimizerSlot]
  private let momentum: Float
  private let weightDecay: Float
  private let isNesterov: Bool

  init(momentum: Double, weightDecay: Double, isNesterov: Bool, for parameters: ParameterStore) {
    self.momentum = Float(momentum)
    self.weightDecay = Float(weightDecay)
    self.isNesterov = isNesterov
    slots = [OptimizerSlot(name: "momentum", count: parameters.table.weightExtent)]
  }

  func step(
    _ parameters: ParameterStore, _ groups: [UpdateGroup], learningRate: Double, pool: ThreadPool
  ) {
    for group in groups {
      let range = group.range
      // The buffer starts at zero, so that the first step needs no case of its own.
      sgdUpdate(
        weights: parameters.weights + range.lowerBound,
        gradients: parameters.gradients + range.lowerBound,
        momentumBuffer: slots[0].values + range.lowerBound, count: range.count,
        learningRate: Float(learningRate), momentum: momentum,
        weightDecay: group.decays ? weightDecay : 0,
        nesterov: isNesterov, firstStep: false, pool: pool)
    }
  }
}
