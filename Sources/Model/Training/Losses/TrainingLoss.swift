import Kernels

/// What training makes smaller: the rule and its settings.
public struct TrainingLoss: Sendable, Equatable {
  /// The rules; each is a mean over the images.
  public enum Rule: Sendable, Equatable {
    /// Cross entropy of the softmax, plus `polynomial` times (1 - p of the target).
    case crossEntropy(polynomial: Float)
    /// A yes-or-no question for each class.
    case binary(threshold: Float?, sumsClasses: Bool)
    /// Cross entropy of the clean view plus 12 times the divergence among the views.
    case jensenShannon(views: Int)
  }

  /// The rule.
  public let rule: Rule
  /// The share of each label that is spread over all classes.
  public let smoothing: Float

  /// Reads the keys bce-loss, poly-loss, jsd-loss and smoothing.
  init(_ values: HyperparameterValues) {
    smoothing = Float(values.number("smoothing"))
    if values.flag("bce-loss") {
      rule = .binary(
        threshold: values.optionalNumber("bce-target-thresh").map(Float.init),
        sumsClasses: values.flag("bce-sum"))
    } else if values.flag("jsd-loss") {
      rule = .jensenShannon(views: max(2, values.integer("aug-splits")))
    } else {
      rule = .crossEntropy(polynomial: Float(values.number("poly-loss")))
    }
  }

  /// How many losses there are for a network's batch of so many rows.
  func imageCount(rows: Int) -> Int {
    if case .jensenShannon(let views) = rule { rows / views } else { rows }
  }

  /// Computes the loss of each image of a batch, and the gradient of their mean.
  ///
  /// - Parameters:
  ///   - logits: `[rows, classes]`.
  ///   - logitGradient: `[rows, classes]`.
  ///   - losses: `[imageCount(rows)]`.
  func run(
    logits: UnsafePointer<Float>, targets: BatchTargets, rows: Int, classes: Int,
    logitGradient: UnsafeMutablePointer<Float>, losses: UnsafeMutablePointer<Float>,
    pool: ThreadPool
  ) {
    let lossTargets = LossTargets(
      labels: targets.labels, partners: targets.partners, shares: targets.shares,
      smoothing: smoothing)
    switch rule {
    case .crossEntropy(let polynomial):
      softmaxCrossEntropy(
        logits: logits, targets: lossTargets, n: rows, classes: classes, polynomial: polynomial,
        logitGradient: logitGradient, losses: losses, pool: pool)
    case .binary(let threshold, let sumsClasses):
      binaryCrossEntropy(
        logits: logits, targets: lossTargets, n: rows, classes: classes, threshold: threshold,
        sumsClasses: sumsClasses, logitGradient: logitGradient, losses: losses, pool: pool)
    case .jensenShannon(let views):
      jensenShannonCrossEntropy(
        logits: logits, targets: lossTargets, views: views, n: rows / views, classes: classes,
        logitGradient: logitGradient, losses: losses, pool: pool)
    }
  }
}
