internal import Foundation

/// How well a network is calibrated: whether it is right as often as it is sure to be.
///
/// C. Guo et al., "On Calibration of Modern Neural Networks", ICML 2017: images are sorted into bins
/// of equal width by the largest probability; a bin holds its upper end.
public struct Calibration: Sendable, Equatable {
  /// Images of similar confidence.
  public struct Bin: Sendable, Equatable {
    /// Images whose confidence lies in the bin.
    public internal(set) var count = 0
    /// How many of them were right.
    public internal(set) var right = 0
    /// The sum of their largest probabilities.
    public internal(set) var confidence = 0.0
  }

  /// The bins, from 0 to 1.
  public private(set) var bins: [Bin]
  /// Images counted.
  public private(set) var count = 0

  /// Nothing counted.
  public init(bins: Int = 15) {
    precondition(bins > 0)
    self.bins = Array(repeating: Bin(), count: bins)
  }

  /// Counts an image; a confidence that is no number counts as 0.
  mutating func add(confidence: Double, isRight: Bool) {
    let confidence = confidence.isNaN ? 0 : confidence
    let place = Int((confidence * Double(bins.count)).rounded(.up)) - 1
    let bin = min(max(place, 0), bins.count - 1)
    bins[bin].count += 1
    bins[bin].right += isRight ? 1 : 0
    bins[bin].confidence += confidence
    count += 1
  }

  /// The expected calibration error, in 0...1: the mean over all images of how far the accuracy of
  /// their bin is from its mean confidence.
  public var error: Double {
    bins.reduce(0) { $0 + abs(Double($1.right) - $1.confidence) } / Double(count)
  }
}

/// What an evaluation says about single classes and images, beside the means.
public struct EvaluationDetails: Sendable {
  /// One image.
  public struct Prediction: Sendable, Equatable {
    /// The image's number in its set.
    public let index: Int
    /// The right class.
    public let label: Int
    /// The most probable classes, the most probable first; of equals the smaller number.
    public let classes: [Int]
    /// Their probabilities, in 0...1.
    public let probabilities: [Double]
  }

  /// How the images of a class fared.
  public struct ClassResult: Sendable, Equatable {
    /// Images of the class.
    public let count: Int
    /// Images that were taken for the class, rightly or not.
    public let predicted: Int
    /// Images of the class that were taken for it.
    public let right: Int

    /// The share of the class's images that were recognised, in percent; nil if there were none.
    public var accuracy: Double? { count > 0 ? 100 * Double(right) / Double(count) : nil }
    /// The share that belongs to the class among the images that were taken for it, in percent; nil
    /// if none was.
    public var precision: Double? {
      predicted > 0 ? 100 * Double(right) / Double(predicted) : nil
    }
  }

  /// The outputs of the classifier.
  public let classCount: Int
  /// How sure and how right the network was.
  public private(set) var calibration = Calibration()
  /// Every image's most probable classes, if they were asked for.
  public private(set) var predictions: [Prediction] = []
  /// How often an image of the class (row) was taken for each class (column), for the rows that
  /// have images.
  private var counts: [Int: [Int]] = [:]
  private let top: Int

  /// Nothing counted.
  ///
  /// - Parameter top: how many classes to keep of every image; 0 keeps no predictions.
  public init(classCount: Int, top: Int = 0) {
    precondition(classCount > 0 && top >= 0)
    self.classCount = classCount
    self.top = min(top, classCount)
  }

  /// Counts an image: what `Evaluator.run` tells its visitor.
  public mutating func add(index: Int, label: Int, logits: UnsafeBufferPointer<Float>) {
    precondition(logits.count == classCount)
    let total = logSumExp(classCount) { Double(logits[$0]) }
    // Of equal logits the class with the smaller number counts as larger; no number never wins.
    var best = 0
    for other in 1..<max(classCount, 1) {
      if logits[other] > logits[best] || logits[best].isNaN && !logits[other].isNaN { best = other }
    }
    func probability(_ label: Int) -> Double { exp(Double(logits[label]) - total) }
    calibration.add(confidence: probability(best), isRight: best == label && !logits[best].isNaN)
    counts[label, default: Array(repeating: 0, count: classCount)][best] += 1
    guard top > 0 else { return }
    let order = (0..<classCount).sorted { (logits[$0], -$0) > (logits[$1], -$1) }.prefix(top)
    predictions.append(
      Prediction(
        index: index, label: label, classes: Array(order),
        probabilities: order.map(probability)))
  }

  /// How often an image of class `label` was taken for class `predicted`.
  public func count(of label: Int, takenFor predicted: Int) -> Int {
    counts[label]?[predicted] ?? 0
  }

  /// How the images of each class fared.
  public var classes: [ClassResult] {
    var predicted = [Int](repeating: 0, count: classCount)
    for row in counts.values {
      for (label, count) in row.enumerated() { predicted[label] += count }
    }
    return (0..<classCount).map { label in
      ClassResult(
        count: counts[label]?.reduce(0, +) ?? 0, predicted: predicted[label],
        right: count(of: label, takenFor: label))
    }
  }

  /// The mistakes, the most frequent first: images of one class that were taken for another.
  public var mistakes: [(label: Int, predicted: Int, count: Int)] {
    var found: [(label: Int, predicted: Int, count: Int)] = []
    for (label, row) in counts {
      for (predicted, count) in row.enumerated() where predicted != label && count > 0 {
        found.append((label, predicted, count))
      }
    }
    return found.sorted {
      (-$0.count, $0.label, $0.predicted) < (-$1.count, $1.label, $1.predicted)
    }
  }
}
