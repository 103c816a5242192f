internal import Foundation
public import Kernels

/// Measures a network on a set of images, with its running statistics and folded weights.
///
/// The batch is fixed by the input size, so that the result does not depend on how the network is
/// trained; sums run in the order of the images in double precision. With several views of an image
/// the probabilities of the views are averaged.
public final class Evaluator {
  private let transform: EvalTransform
  private let views: TestViews
  private let workers: Int
  private let pool: ThreadPool
  private let folded: FoldedNetwork
  /// The views of one pass; all of an image are in the same.
  private let batch: Int
  private let classes: Int
  private let labels: UnsafeMutableBufferPointer<Int32>
  private let losses: UnsafeMutableBufferPointer<Float>
  /// The logits of images, made from those of their views.
  private let joined: UnsafeMutableBufferPointer<Float>

  /// Plans the evaluation of a network, whose weights may change afterwards.
  /// - Throws: `ArchitectureError` when the network cannot take images of this size.
  public init(
    _ network: Network, transform: EvalTransform, views: TestViews = .none, workers: Int,
    pool: ThreadPool
  ) throws {
    try network.blueprint.checkImages()
    self.transform = transform
    self.views = views
    self.workers = workers
    self.pool = pool
    // Small images need company to keep every core busy; large ones need memory.
    let room = max(8, min(64, 64 * 64 * 64 / (transform.size * transform.size)))
    batch = max(1, room / views.count) * views.count
    classes = network.blueprint.classCount
    folded = try FoldedNetwork(
      network, maxBatch: batch, inputSize: transform.size, pool: pool)
    labels = .allocate(capacity: batch)
    labels.initialize(repeating: 0)
    losses = .allocate(capacity: batch)
    losses.initialize(repeating: 0)
    joined = .allocate(capacity: views == .none ? 0 : batch / views.count * classes)
    joined.initialize(repeating: 0)
  }

  /// Plans the evaluation that the settings of a training describe, on threads of its own.
  /// - Throws: `ArchitectureError` when the network cannot take images of this size.
  public convenience init(_ network: Network, settings: Hyperparameters) throws {
    try self.init(
      network, transform: settings.evalTransform, workers: settings.workers,
      pool: ThreadPool(threads: settings.threads))
  }

  deinit {
    labels.deallocate()
    losses.deallocate()
    joined.deallocate()
  }

  /// Evaluates all images of a set with the network's present weights.
  ///
  /// - Parameters:
  ///   - progress: is told after each batch how many images are done, of how many; it answers
  ///     whether to go on.
  ///   - visit: is told, in order, the number of each image, its label and its logits [classes];
  ///     with several views these are the logarithms of the averaged probabilities.
  /// - Returns: the result; nil when `progress` stopped it.
  /// - Throws: `TrainingError.nothingToEvaluate`, and what an image that cannot be read throws.
  public func run(
    _ dataset: any Dataset,
    progress: (_ done: Int, _ total: Int) throws -> Bool = { _, _ in true },
    visit: (_ index: Int, _ label: Int, _ logits: UnsafeBufferPointer<Float>) -> Void = { _, _, _ in
    }
  ) throws -> Evaluation? {
    guard dataset.count > 0 else { throw TrainingError.nothingToEvaluate(dataset.name) }
    let start = ContinuousClock.now
    folded.refresh()
    let loader = loader(dataset)
    defer { loader.close() }
    // SAFETY: both buffers hold `batch` elements, and a batch has at least one.
    let labels = self.labels.baseAddress.unsafelyUnwrapped
    let losses = self.losses.baseAddress.unsafelyUnwrapped
    var accuracy = AccuracyCounts()
    var lossSum = 0.0
    while true {
      let samples = try loader.next(into: folded.input, labels: labels)
      if samples == 0 { break }
      let logits = join(folded.run(batch: samples), samples: samples)
      let count = samples / views.count
      softmaxCrossEntropy(
        logits: logits, labels: labels, n: count, classes: classes, smoothing: 0,
        logitGradient: nil, losses: losses, pool: pool)
      for index in 0..<count {
        lossSum += Double(losses[index])
        visit(
          accuracy.count + index, Int(labels[index]),
          UnsafeBufferPointer(start: logits + index * classes, count: classes))
      }
      accuracy.add(
        logits: UnsafeBufferPointer(start: logits, count: count * classes),
        labels: UnsafeBufferPointer(start: labels, count: count), classes: classes)
      guard try progress(accuracy.count, dataset.count) else { return nil }
    }
    let total = Double(accuracy.count)
    return Evaluation(
      loss: lossSum / total, top1: 100 * Double(accuracy.top1) / total,
      top5: 100 * Double(accuracy.top5) / total, count: accuracy.count,
      seconds: start.duration(to: .now).seconds)
  }

  private func loader(_ dataset: any Dataset) -> BatchLoader {
    let isSingle = views == .none
    return BatchLoader(
      dataset: isSingle ? dataset : ViewedDataset(dataset, views: views.count),
      transform: isSingle ? transform : ViewTransform(base: transform, views: views),
      batchSize: batch, seed: 0, epoch: 0, shuffle: false, dropLast: false, workers: workers)
  }

  /// The logits of the images from those of their views, which follow each other; the labels move
  /// along.
  ///
  /// They are the logarithms of the mean of the views' softmax, computed in double precision
  /// without leaving the logarithms, so that nothing underflows.
  private func join(_ logits: UnsafePointer<Float>, samples: Int) -> UnsafePointer<Float> {
    guard views != .none, let target = joined.baseAddress else { return logits }
    let count = views.count
    for image in 0..<(samples / count) {
      labels[image] = labels[image * count]
      let rows = (0..<count).map { logits + (image * count + $0) * classes }
      let sums = rows.map { row in
        logSumExp(classes) { Double(row[$0]) }
      }
      for label in 0..<classes {
        let mean = logSumExp(count) { Double(rows[$0][label]) - sums[$0] } - log(Double(count))
        target[image * classes + label] = Float(mean)
      }
    }
    return UnsafePointer(target)
  }
}

/// `log(sum(exp(value)))` over `count` values, without overflow.
func logSumExp(_ count: Int, _ value: (Int) -> Double) -> Double {
  var largest = -Double.infinity
  for index in 0..<count { largest = max(largest, value(index)) }
  guard largest.isFinite else { return largest }
  var sum = 0.0
  for index in 0..<count { sum += exp(value(index) - largest) }
  return largest + log(sum)
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
