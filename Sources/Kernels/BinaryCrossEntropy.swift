internal import Glibc

/// Binary cross entropy of sigmoid(logits [n, classes]), each class a question of its own.
///
/// As timm's `BinaryCrossEntropy` (Wightman et al., "ResNet strikes back", arXiv 2110.00476).
/// - Parameters:
///   - threshold: targets above it count as 1 and all others as 0; nil takes them as they are.
///   - sumsClasses: whether a row's loss is the sum over the classes instead of their mean.
///   - logitGradient: `[n, classes]`, if wanted: the gradient of the mean loss.
///   - losses: `[n]`: each row's loss.
public func binaryCrossEntropy(
  logits: UnsafePointer<Float>, targets: LossTargets, n: Int, classes: Int, threshold: Float?,
  sumsClasses: Bool, logitGradient: UnsafeMutablePointer<Float>?,
  losses: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(n >= 0 && classes > 0)
  let group = lossRows(classes)
  let share = sumsClasses ? 1 : 1 / Double(classes)
  let scale = Float(share / Double(n))
  let smoothing = targets.smoothing
  let base = smoothing / Float(classes)
  pool.run((n + group - 1) / group) { task in
    for sample in task * group..<min(n, (task + 1) * group) {
      let row = logits + sample * classes
      let (label, partner, weight) = targets.row(sample, classes: classes)
      var sum = 0.0
      for index in 0..<classes {
        var target = base
        if index == label { target += (1 - smoothing) * weight }
        if index == partner { target += (1 - smoothing) * (1 - weight) }
        if let threshold { target = target > threshold ? 1 : 0 }
        let logit = row[index]
        sum +=
          Double(max(logit, 0)) - Double(logit) * Double(target)
          + log1p(Double(exponential(-abs(logit))))
        logitGradient?[sample * classes + index] = (sigmoid(logit) - target) * scale
      }
      losses[sample] = Float(sum * share)
    }
  }
}
