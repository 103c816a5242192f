internal import Glibc

/// Cross entropy of the clean images plus `weight` times the divergence among the views of each.
///
/// As timm's `JsdCrossEntropy` for AugMix (Hendrycks et al., ICLR 2020): with the softmax p_i of each
/// of the views and their mean M, not below 1e-7, an image adds weight / views · Σ_i KL(p_i ‖ M).
///
/// - Parameters:
///   - logits: `[views, n, classes]`; the first view is the clean one.
///   - targets: of the n clean images.
///   - logitGradient: `[views, n, classes]`: the gradient of the mean loss; its memory is used on the
///     way.
///   - losses: `[n]`: each image's loss.
public func jensenShannonCrossEntropy(
  logits: UnsafePointer<Float>, targets: LossTargets, views: Int, n: Int, classes: Int,
  weight: Float = 12, logitGradient: UnsafeMutablePointer<Float>,
  losses: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(views > 1)
  softmaxCrossEntropy(
    logits: logits, targets: targets, n: n, classes: classes, logitGradient: logitGradient,
    losses: losses, pool: pool)
  let stride = n * classes
  let factor = weight / Float(views)
  let floor: Float = 1e-7
  pool.run(n) { image in
    var divergence = 0.0
    // The mean of the views and whether it was lifted to the floor, class by class, computed where
    // they are needed: a row of probabilities is cheap, memory for it is not at hand.
    func softmax(_ view: Int) -> SoftmaxRow {
      SoftmaxRow(logits + view * stride + image * classes, classes: classes)
    }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: classes) { mean in
      for index in 0..<classes { mean[index] = 0 }
      for view in 0..<views {
        let rows = softmax(view)
        let row = logits + view * stride + image * classes
        for index in 0..<classes { mean[index] += rows.probability(row[index]) / Float(views) }
      }
      for view in 0..<views {
        let rows = softmax(view)
        let row = logits + view * stride + image * classes
        // The gradient with respect to p is factor · (log p - log M), plus factor where M stands at
        // the floor and does not follow p.
        func slope(_ index: Int) -> Double {
          let limited = max(mean[index], floor)
          return rows.logarithm(row[index]) - log(Double(limited)) + (mean[index] < floor ? 1 : 0)
        }
        var average = 0.0
        for index in 0..<classes {
          let p = Double(rows.probability(row[index]))
          average += p * slope(index)
          let limited = max(mean[index], floor)
          divergence += p * (rows.logarithm(row[index]) - log(Double(limited)))
        }
        let gradient = logitGradient + view * stride + image * classes
        for index in 0..<classes {
          let p = Double(rows.probability(row[index]))
          let move = Float(p * (slope(index) - average)) * factor / Float(n)
          gradient[index] = view == 0 ? gradient[index] + move : move
        }
      }
    }
    losses[image] += Float(Double(factor) * divergence)
  }
}
