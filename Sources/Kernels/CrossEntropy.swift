internal import Glibc

/// Cross entropy of softmax(logits [n, classes]) with smoothed targets, or its polynomial form.
///
/// A row's loss is -Σ target · log p (Szegedy et al. 2016 for the smoothing), plus
/// `polynomial` · (1 - p of the unsmoothed target) (Leng et al., "PolyLoss", ICLR 2022; 0 for the plain
/// cross entropy). `losses` [n] gets each row's loss; `logitGradient` [n, classes], if wanted, the
/// gradient of the mean loss. Any finite logits are safe; NaN comes through to the loss.
public func softmaxCrossEntropy(
  logits: UnsafePointer<Float>, targets: LossTargets, n: Int, classes: Int, polynomial: Float = 0,
  logitGradient: UnsafeMutablePointer<Float>?, losses: UnsafeMutablePointer<Float>,
  pool: ThreadPool
) {
  precondition(n >= 0 && classes > 0)
  let smoothing = targets.smoothing
  let group = lossRows(classes)
  pool.run((n + group - 1) / group) { task in
    for sample in task * group..<min(n, (task + 1) * group) {
      let row = logits + sample * classes
      let (label, partner, share) = targets.row(sample, classes: classes)
      let softmax = SoftmaxRow(row, classes: classes)
      let own =
        Double(share) * softmax.logarithm(row[label])
        + Double(1 - share) * softmax.logarithm(row[partner])
      var loss =
        -(1 - Double(smoothing)) * own
        - Double(smoothing) * (softmax.total / Double(classes) - softmax.logSum)
      var likelihood: Float = 0
      if polynomial != 0 {
        likelihood =
          share * softmax.probability(row[label]) + (1 - share) * softmax.probability(row[partner])
        loss += Double(polynomial) * Double(1 - likelihood)
      }
      losses[sample] = Float(loss)
      guard let logitGradient else { continue }
      let gradient = logitGradient + sample * classes
      let scale = 1 / Float(n)
      let base = smoothing / Float(classes)
      // d(1 - likelihood)/d logit = p · (likelihood - unsmoothed target).
      let pull = 1 + polynomial * likelihood
      for index in 0..<classes {
        gradient[index] = (softmax.probability(row[index]) * pull - base) * scale
      }
      func subtract(_ index: Int, _ weight: Float) {
        let own = 1 - smoothing + polynomial * softmax.probability(row[index])
        gradient[index] -= own * weight * scale
      }
      subtract(label, share)
      if share != 1 { subtract(partner, 1 - share) }
    }
  }
}

/// Cross entropy with one class a row; the other parameters are those of the general form.
public func softmaxCrossEntropy(
  logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, n: Int, classes: Int,
  smoothing: Float, logitGradient: UnsafeMutablePointer<Float>?,
  losses: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  softmaxCrossEntropy(
    logits: logits, targets: LossTargets(labels: labels, smoothing: smoothing), n: n,
    classes: classes, logitGradient: logitGradient, losses: losses, pool: pool)
}

/// The softmax of one row, with the largest logit taken out so that nothing overflows.
struct SoftmaxRow {
  private let top: Float
  private let inverse: Float
  /// log Σ exp(logit).
  let logSum: Double
  /// Σ logit.
  let total: Double

  @inline(__always)
  init(_ row: UnsafePointer<Float>, classes: Int) {
    var top = row[0]
    var total = 0.0
    for index in 0..<classes {
      if row[index] > top { top = row[index] }
      total += Double(row[index])
    }
    var sum = 0.0
    for index in 0..<classes { sum += Double(exponential(row[index] - top)) }
    self.top = top
    self.total = total
    logSum = Double(top) + log(sum)
    inverse = Float(1 / sum)
  }

  /// The probability of a logit of the row.
  @inline(__always)
  func probability(_ logit: Float) -> Float { exponential(logit - top) * inverse }

  /// Its logarithm, exact where the probability is too small for one.
  @inline(__always)
  func logarithm(_ logit: Float) -> Double { Double(logit) - logSum }
}
