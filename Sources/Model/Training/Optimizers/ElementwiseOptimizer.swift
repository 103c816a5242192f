import Kernels

/// A rule that treats every weight by itself.
protocol ElementwiseRule {
  /// What is remembered of each weight, one or two numbers, and what they are at the beginning.
  var memory: [(name: String, start: Float)] { get }
  /// Updates some weights.
  ///
  /// - Parameters:
  ///   - rate: the learning rate.
  ///   - decays: whether weight decay applies.
  ///   - number: the number of the update, counted from 1.
  /// - Returns: whether all gradients were finite.
  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool
}

/// An optimizer whose rule treats every weight by itself: one pass over memory.
final class ElementwiseOptimizer<Rule: ElementwiseRule>: PartwiseOptimizer {
  let slots: [OptimizerSlot]
  var updates = 0
  private let rule: Rule
  private let target: UpdateTarget

  init(_ rule: Rule, for target: UpdateTarget) {
    self.rule = rule
    self.target = target
    slots = rule.memory.map {
      OptimizerSlot(name: $0.name, start: $0.start, for: target.parameters.table)
    }
  }

  func step(learningRate: Double, pool: ThreadPool) -> Bool {
    beginStep()
    return update(
      0..<target.parameters.table.weightExtent, learningRate: learningRate, pool: pool)
  }

  func beginStep() { updates += 1 }

  func update(_ range: Range<Int>, learningRate: Double, pool: ThreadPool) -> Bool {
    var isFinite = true
    let parameters = target.parameters
    for group in target.groups where group.range.overlaps(range) {
      let part = group.range.clamped(to: range)
      let start = part.lowerBound
      let run = UpdateRun(
        weights: parameters.weights + start, gradients: parameters.gradients + start,
        first: slots[0].values + start, second: slots[slots.count - 1].values + start,
        count: part.count)
      let areFinite = rule.update(
        run, rate: learningRate * group.rateScale, decays: group.decays, number: updates,
        pool: pool)
      isFinite = isFinite && areFinite
    }
    return isFinite
  }
}

/// Stochastic gradient descent with momentum, with or without Nesterov's look ahead.
///
/// As in PyTorch: d = gradient + decay · weight; b = momentum · b + d; the weight moves by
/// -rate · (d + momentum · b) with Nesterov and by -rate · b without (Sutskever et al., "On the
/// importance of initialization and momentum in deep learning", ICML 2013).
struct MomentumRule: ElementwiseRule {
  let momentum: Double
  let weightDecay: Double
  let isNesterov: Bool

  var memory: [(name: String, start: Float)] { [("momentum", 0)] }

  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool {
    // The buffer starts at zero, so that the first step needs no case of its own.
    return sgdUpdate(
      run, learningRate: Float(rate), momentum: Float(momentum),
      weightDecay: decays ? Float(weightDecay) : 0, nesterov: isNesterov, firstStep: false,
      pool: pool)
  }
}

/// RMSprop (Tieleman and Hinton, 2012): the gradient over the root of the mean of its squares.
///
/// TensorFlow's form, of which timm's RMSpropTF is a copy, adds epsilon within the root, starts the
/// mean at 1 and takes the learning rate into the momentum.
struct RootMeanSquareRule: ElementwiseRule {
  let isTensorFlow: Bool
  let momentum: Double
  let epsilon: Double
  let weightDecay: Double

  /// How much of the mean stays; timm's value for both.
  private static let alpha = 0.9

  var memory: [(name: String, start: Float)] {
    [("square", isTensorFlow ? 1 : 0), ("momentum", 0)]
  }

  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool {
    var numbers = RootMeanSquareCoefficients(alpha: Self.alpha, momentum: momentum)
    numbers.decay = decays ? weightDecay : 0
    if isTensorFlow {
      numbers.inner = rate
      numbers.epsilonInside = epsilon
    } else {
      numbers.outer = rate
      numbers.epsilonOutside = epsilon
    }
    return rootMeanSquareUpdate(run, numbers, pool: pool)
  }
}

/// Adagrad (Duchi et al., JMLR 12, 2011): the gradient over the root of the sum of all its squares.
struct AdagradRule: ElementwiseRule {
  let epsilon: Double
  let weightDecay: Double

  var memory: [(name: String, start: Float)] { [("sum", 0)] }

  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool {
    adagradUpdate(
      run, epsilon: epsilon, decay: decays ? weightDecay : 0, rate: rate, pool: pool)
  }
}

/// Adadelta (Zeiler, arXiv:1212.5701) with PyTorch's rho of 0.9.
struct AdadeltaRule: ElementwiseRule {
  let epsilon: Double
  let weightDecay: Double

  var memory: [(name: String, start: Float)] { [("square", 0), ("move", 0)] }

  func update(_ run: UpdateRun, rate: Double, decays: Bool, number: Int, pool: ThreadPool) -> Bool {
    adadeltaUpdate(
      run, rho: 0.9, epsilon: epsilon, decay: decays ? weightDecay : 0, rate: rate, pool: pool)
  }
}
