/// A mean of batches weighted by their images, summed in the order of the batches.
///
/// The sum is part of the training state, so that a resumed epoch reports the same mean to the last
/// bit.
public struct RunningMean: Sendable, Equatable, Codable {
  /// The sum of value times weight.
  public private(set) var sum = 0.0
  /// The sum of the weights: images.
  public private(set) var count = 0

  /// An empty mean.
  public init() {}

  /// Adds the mean of a batch.
  public mutating func add(_ mean: Double, count images: Int) {
    sum += mean * Double(images)
    count += images
  }

  /// The mean; NaN when nothing was added.
  public var mean: Double { sum / Double(count) }
}

/// How often the right class is the best one, and how often it is among the best five.
public struct AccuracyCounts: Sendable, Equatable {
  /// Images whose right class has the largest logit.
  public private(set) var top1 = 0
  /// Images whose right class is among the five largest logits, or among all if there are fewer.
  public private(set) var top5 = 0
  /// Images counted.
  public private(set) var count = 0

  /// Nothing counted.
  public init() {}

  /// Counts a batch.
  ///
  /// Of equal logits the class with the smaller number counts as larger. A logit that is no number
  /// never counts as right.
  /// - Parameters:
  ///   - logits: `[labels.count, classes]`.
  ///   - labels: the right class of each row.
  public mutating func add(
    logits: UnsafeBufferPointer<Float>, labels: UnsafeBufferPointer<Int32>, classes: Int
  ) {
    precondition(logits.count == labels.count * classes)
    for (row, label) in labels.enumerated() {
      let target = Int(label)
      let value = logits[row * classes + target]
      var rank = 0
      for k in 0..<classes where k != target {
        let other = logits[row * classes + k]
        // Written so that a NaN on either side puts the other class in front.
        if !(other < value || (other == value && k > target)) { rank += 1 }
      }
      if value.isNaN { rank = classes }
      if rank < 1 { top1 += 1 }
      if rank < min(5, classes) { top5 += 1 }
    }
    count += labels.count
  }
}

/// What evaluating a network on a set of images gives.
public struct Evaluation: Sendable, Equatable, Codable {
  /// Mean cross entropy, without label smoothing.
  public let loss: Double
  /// Share of images whose right class came first, in percent.
  public let top1: Double
  /// Share of images whose right class was among the first five, in percent.
  public let top5: Double
  /// Images evaluated.
  public let count: Int
  /// Wall time in seconds.
  public let seconds: Double

  /// Creates a result; accuracies are in percent.
  public init(loss: Double, top1: Double, top5: Double, count: Int, seconds: Double) {
    self.loss = loss
    self.top1 = top1
    self.top5 = top5
    self.count = count
    self.seconds = seconds
  }

  /// The value of a metric.
  public func value(of metric: EvaluationMetric) -> Double {
    switch metric {
    case .loss: return loss
    case .top1: return top1
    case .top5: return top5
    }
  }
}

/// The metrics by which one epoch can be better than another.
public enum EvaluationMetric: String, Sendable, CaseIterable, Codable {
  case top1, top5, loss

  /// Whether a value beats another; NaN beats nothing and is beaten by every number.
  public func isBetter(_ value: Double, than other: Double) -> Bool {
    if value.isNaN { return false }
    if other.isNaN { return true }
    return self == .loss ? value < other : value > other
  }
}
