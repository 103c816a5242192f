import Foundation
import Kernels

/// Adam and its relatives: a mean of the gradients over the root of a mean of their squares.
struct AdamRule: ElementwiseRule {
  /// What a relative does differently.
  enum Form {
    /// Adam (Kingma and Ba, arXiv:1412.6980): weight decay is a part of the gradient.
    case coupled
    /// AdamW (Loshchilov and Hutter, arXiv:1711.05101): weight decay shortens the weight by itself.
    case decoupled
    /// NAdam (Dozat, 2016), with PyTorch's momentum that grows with the steps.
    case nesterov
    /// RAdam (Liu et al., arXiv:1908.03265): no root until its variance is bounded.
    case rectified
  }

  let form: Form
  let beta1: Double
  let beta2: Double
  let epsilon: Double
  let weightDecay: Double
  /// The momenta of NAdam so far, multiplied.
  private let momenta = MomentumProduct()

  init(form: Form, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double) {
    self.form = form
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  var memory: [(name: String, start: Float)] { [("mean", 0), ("square", 0)] }

  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool {
    var numbers = AdamCoefficients(beta1: beta1, beta2: beta2, epsilon: epsilon)
    let squareCorrection = 1 - pow(beta2, Double(number))
    numbers.meanRate = rate / (1 - pow(beta1, Double(number)))
    numbers.rootScale = 1 / squareCorrection.squareRoot()
    if decays { numbers.decay = weightDecay }
    switch form {
    case .coupled: break
    case .decoupled:
      numbers.decay = 0
      if decays { numbers.keep = 1 - rate * weightDecay }
    case .nesterov:
      let now = momenta.value(number, beta1: beta1)
      let momentum = MomentumProduct.momentum(number, beta1: beta1)
      let next = MomentumProduct.momentum(number + 1, beta1: beta1)
      numbers.gradientRate = rate * (1 - momentum) / (1 - now)
      numbers.meanRate = rate * next / (1 - now * next)
    case .rectified:
      // The root's own correction is left to the rate, so that epsilon stands beside the plain root.
      numbers.rootScale = 1
      if let rectification = rectification(number, squareCorrection) {
        numbers.meanRate *= rectification * squareCorrection.squareRoot()
      } else {
        numbers.rootScale = 0
        numbers.epsilon = 1
      }
    }
    return adamUpdate(run, numbers, pool: pool)
  }

  /// How far the root can be trusted; nil in the first steps, where it cannot.
  private func rectification(_ number: Int, _ squareCorrection: Double) -> Double? {
    let limit = 2 / (1 - beta2) - 1
    let length =
      limit - 2 * Double(number) * pow(beta2, Double(number)) / squareCorrection
    guard length > 5 else { return nil }
    let ratio =
      (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)
    return ratio.squareRoot()
  }
}

/// The product of NAdam's momenta up to a step: a function of the step, kept from the last one.
private final class MomentumProduct {
  private var number = 0
  private var product = 1.0

  /// The momentum of a step, which grows to `beta1`.
  static func momentum(_ number: Int, beta1: Double) -> Double {
    beta1 * (1 - 0.5 * pow(0.96, Double(number) * 0.004))
  }

  /// The product of the momenta of steps 1 ... number.
  func value(_ number: Int, beta1: Double) -> Double {
    if number < self.number { (self.number, product) = (0, 1) }
    while self.number < number {
      self.number += 1
      product *= Self.momentum(self.number, beta1: beta1)
    }
    return product
  }
}

/// Adamax (Kingma and Ba, arXiv:1412.6980, section 7): a mean of the gradients over their fading peak.
struct AdamaxRule: ElementwiseRule {
  let beta1: Double
  let beta2: Double
  let epsilon: Double
  let weightDecay: Double

  var memory: [(name: String, start: Float)] { [("mean", 0), ("peak", 0)] }

  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool {
    adamaxUpdate(
      run, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: decays ? weightDecay : 0,
      rate: rate / (1 - pow(beta1, Double(number))), pool: pool)
  }
}
