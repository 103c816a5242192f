import Foundation
import Kernels

/// LAMB (You et al., arXiv:1904.00962) as in timm: Adam's step, in each tensor as long as its weights
/// ask for; all gradients together are shortened to a norm of 1 before.
final class Lamb: Optimizer {
  let slots: [OptimizerSlot]
  var updates = 0
  private let beta1: Double
  private let beta2: Double
  private let epsilon: Double
  private let weightDecay: Double
  private let parameters: ParameterStore
  private let plan: TrustUpdate

  init(
    beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, for target: UpdateTarget
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    parameters = target.parameters
    plan = TrustUpdate(target.tensors.map(\.update))
    slots = ["mean", "square"].map { OptimizerSlot(name: $0, for: target.parameters.table) }
  }

  func step(learningRate: Double, pool: ThreadPool) -> Bool {
    guard parameters.hasFiniteGradients(pool) else { return false }
    updates += 1
    let number = Double(updates)
    plan.lamb(
      UpdateBuffers(
        weights: parameters.weights, gradients: parameters.gradients, first: slots[0].values,
        second: slots[1].values),
      TrustUpdate.LambCoefficients(
        beta1: beta1, beta2: beta2, epsilon: epsilon, decay: weightDecay, rate: learningRate,
        meanCorrection: 1 - pow(beta1, number), squareCorrection: 1 - pow(beta2, number)),
      pool: pool)
    return true
  }
}

/// LARS (You et al., arXiv:1708.03888) as in timm: momentum on gradients that are, in each tensor, as
/// long as its weights ask for.
final class Lars: Optimizer {
  let slots: [OptimizerSlot]
  var updates = 0
  private let momentum: Double
  private let epsilon: Double
  private let weightDecay: Double
  private let parameters: ParameterStore
  private let plan: TrustUpdate

  init(momentum: Double, epsilon: Double, weightDecay: Double, for target: UpdateTarget) {
    self.momentum = momentum
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    parameters = target.parameters
    plan = TrustUpdate(target.tensors.map(\.update))
    slots = [OptimizerSlot(name: "momentum", for: target.parameters.table)]
  }

  func step(learningRate: Double, pool: ThreadPool) -> Bool {
    guard parameters.hasFiniteGradients(pool) else { return false }
    updates += 1
    plan.lars(
      UpdateBuffers(
        weights: parameters.weights, gradients: parameters.gradients, first: slots[0].values,
        second: slots[0].values),
      TrustUpdate.LarsCoefficients(
        momentum: momentum, epsilon: epsilon, decay: weightDecay, rate: learningRate),
      pool: pool)
    return true
  }
}
