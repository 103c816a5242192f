internal import CProcessor
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
      SoftmaxGradients(
        row: row, softmax: softmax, pull: pull, base: base, scale: scale, gradient: gradient
      ).cover(classes)
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

/// (p · pull - base) · scale for a row of probabilities p.
private struct SoftmaxGradients: ChannelGroup {
  let row: UnsafePointer<Float>
  let softmax: SoftmaxRow
  let pull: Float
  let base: Float
  let scale: Float
  let gradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let pulled = softmax.probability(L.load(row + c)) * L(splat: pull)
    ((pulled - L(splat: base)) * L(splat: scale)).store(gradient + c)
  }
}

/// The softmax of one row, with the largest logit taken out so that nothing overflows.
struct SoftmaxRow {
  private let top: Float
  private let inverse: Float
  /// log Σ exp(logit).
  let logSum: Double
  /// Σ logit.
  let total: Double

  /// The logits that are summed in single precision before they are added in double: their
  /// exponentials, which lie in 0 ... 1.
  private static let block = 256

  @inline(never)
  init(_ row: UnsafePointer<Float>, classes: Int) {
    let top = largest(of: row, count: classes)
    var totals = SIMD8<Double>.zero
    var index = 0
    while index &+ 16 <= classes {
      let logits = Vector.load(row + index)
      totals += processor_doubles(logits.lowHalf) + processor_doubles(logits.highHalf)
      index &+= 16
    }
    var total = totals.sum()
    while index < classes {
      total += Double(row[index])
      index &+= 1
    }
    var sum = 0.0
    index = 0
    while index &+ 16 <= classes {
      let end = min(classes &- 15, index &+ Self.block)
      var part = Vector.zero
      while index < end {
        part += exponential(Vector.load(row + index) - Vector(repeating: top))
        index &+= 16
      }
      sum += Double(part.total)
    }
    while index < classes {
      sum += Double(exponential(row[index] - top))
      index &+= 1
    }
    self.top = top
    self.total = total
    logSum = Double(top) + log(sum)
    inverse = Float(1 / sum)
  }

  /// The probabilities of logits of the row.
  @inline(__always)
  func probability<L: Lanes>(_ logits: L) -> L {
    exponential(logits - L(splat: top)) * L(splat: inverse)
  }

  /// Its logarithm, exact where the probability is too small for one.
  @inline(__always)
  func logarithm(_ logit: Float) -> Double { Double(logit) - logSum }
}
