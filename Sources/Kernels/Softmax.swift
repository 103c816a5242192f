internal import Glibc

/// Cross entropy of softmax(logits [n, classes]) with smoothed labels.
///
/// The target is 1 - smoothing on the label plus smoothing / classes everywhere (Szegedy et al.
/// 2016). `losses` [n] gets each sample's loss; `logitGradient` [n, classes], if wanted, the
/// gradient of the mean loss. Any finite logits are safe; NaN comes through to the loss.
public func softmaxCrossEntropy(
  logits: UnsafePointer<Float>, labels: UnsafePointer<Int32>, n: Int, classes: Int,
  smoothing: Float, logitGradient: UnsafeMutablePointer<Float>?,
  losses: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(n >= 0 && classes > 0)
  let group = max(1, 4_096 / classes)
  pool.run((n + group - 1) / group) { task in
    for sample in task * group..<min(n, (task + 1) * group) {
      let row = logits + sample * classes
      let label = Int(labels[sample])
      precondition(label >= 0 && label < classes, "a label is outside the classes")
      var top = row[0]
      var total = 0.0
      for index in 0..<classes {
        if row[index] > top { top = row[index] }
        total += Double(row[index])
      }
      var sum = 0.0
      for index in 0..<classes { sum += Double(exponential(row[index] - top)) }
      let logSum = Double(top) + log(sum)
      let own = Double(row[label]) - logSum
      let average = total / Double(classes) - logSum
      losses[sample] = Float(-(1 - Double(smoothing)) * own - Double(smoothing) * average)
      if let logitGradient {
        let gradient = logitGradient + sample * classes
        let scale = 1 / Float(n)
        let inverse = Float(1 / sum)
        let base = smoothing / Float(classes)
        for index in 0..<classes {
          gradient[index] = (exponential(row[index] - top) * inverse - base) * scale
        }
        gradient[label] -= (1 - smoothing) * scale
      }
    }
  }
}
