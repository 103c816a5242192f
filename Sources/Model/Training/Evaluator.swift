public import Kernels

/// Measures a network on a set of images, with its running statistics and folded weights.
///
/// The batch is fixed by the input size, so that the result does not depend on how the network is
/// trained; sums run in the order of the images in double precision.
public final class Evaluator {
  private let transform: EvalTransform
  private let workers: Int
  private let pool: ThreadPool
  private let folded: FoldedNetwork
  private let batch: Int
  private let classes: Int
  private let labels: UnsafeMutableBufferPointer<Int32>
  private let losses: UnsafeMutableBufferPointer<Float>

  /// Plans the evaluation of a network, whose weights may change afterwards.
  /// - Throws: `ArchitectureError` when the network cannot take images of this size.
  public init(
    _ network: Network, transform: EvalTransform, workers: Int, pool: ThreadPool
  ) throws {
    self.transform = transform
    self.workers = workers
    self.pool = pool
    // Small images need company to keep every core busy; large ones need memory.
    batch = max(8, min(64, 64 * 64 * 64 / (transform.size * transform.size)))
    classes = network.blueprint.classCount
    folded = try FoldedNetwork(
      network, maxBatch: batch, inputSize: transform.size, pool: pool)
    labels = .allocate(capacity: batch)
    labels.initialize(repeating: 0)
    losses = .allocate(capacity: batch)
    losses.initialize(repeating: 0)
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
  }

  /// Evaluates all images of a set with the network's present weights.
  ///
  /// - Parameter progress: is told after each batch how many images are done, of how many; it
  ///   answers whether to go on.
  /// - Returns: the result; nil when `progress` stopped it.
  /// - Throws: `TrainingError.nothingToEvaluate`, and what an image that cannot be read throws.
  public func run(
    _ dataset: any Dataset, progress: (_ done: Int, _ total: Int) throws -> Bool = { _, _ in true }
  ) throws -> Evaluation? {
    guard dataset.count > 0 else { throw TrainingError.nothingToEvaluate(dataset.name) }
    let start = ContinuousClock.now
    folded.refresh()
    let loader = BatchLoader(
      dataset: dataset, transform: transform, batchSize: batch, seed: 0, epoch: 0,
      shuffle: false, dropLast: false, workers: workers)
    defer { loader.close() }
    // SAFETY: both buffers hold `batch` elements, and a batch has at least 8.
    let labels = self.labels.baseAddress.unsafelyUnwrapped
    let losses = self.losses.baseAddress.unsafelyUnwrapped
    var accuracy = AccuracyCounts()
    var lossSum = 0.0
    while true {
      let count = try loader.next(into: folded.input, labels: labels)
      if count == 0 { break }
      let logits = folded.run(batch: count)
      softmaxCrossEntropy(
        logits: logits, labels: labels, n: count, classes: classes, smoothing: 0,
        logitGradient: nil, losses: losses, pool: pool)
      for index in 0..<count { lossSum += Double(losses[index]) }
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
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
