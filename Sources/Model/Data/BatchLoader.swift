import Foundation
import Kernels

/// Delivers the batches of one epoch, prepared ahead of time by threads of its own.
///
/// The order is a Fisher-Yates shuffle drawn from (seed, `shuffle`, epoch); the augmentation of a
/// picture depends on (seed, epoch, its number) alone. So the batches are the same whatever
/// `workers` is, and a loader that starts at batch k delivers what a whole epoch delivers from k
/// on. The pictures wait as bytes in a ring of preallocated batches and become floats when they
/// are handed over.
///
/// One thread takes the batches. A loader that is dropped half-way stops its threads.
public final class BatchLoader {
  /// The number of batches of the whole epoch, whatever the start.
  public let batchCount: Int
  private let batchSize: Int
  private let normalization: PixelNormalization
  private let pixelsPerImage: Int
  private let ring: BatchRing
  private var threads: [pthread_t] = []

  /// Starts to prepare batches.
  ///
  /// - Parameters:
  ///   - dataset: where the pictures come from.
  ///   - transform: what is done to each.
  ///   - batchSize: pictures in a batch, at least 1.
  ///   - seed: the seed of the run.
  ///   - epoch: the epoch, from 0.
  ///   - startBatch: the first batch to deliver; those before are skipped without work.
  ///   - shuffle: whether the order is drawn; otherwise it is that of the data set.
  ///   - sampler: how the order is drawn.
  ///   - dropLast: whether an incomplete last batch is left out.
  ///   - workers: threads, at least 1.
  public init(
    dataset: any Dataset, transform: any ImageTransform, batchSize: Int, seed: UInt64, epoch: Int,
    startBatch: Int = 0, shuffle: Bool, sampler: Sampler = .shuffle, dropLast: Bool,
    workers: Int = 1
  ) {
    precondition(batchSize > 0 && startBatch >= 0 && workers > 0 && epoch >= 0)
    let count = dataset.count
    batchCount = dropLast ? count / batchSize : (count + batchSize - 1) / batchSize
    self.batchSize = batchSize
    normalization = transform.normalization
    pixelsPerImage = transform.size * transform.size
    ring = BatchRing(
      dataset: dataset, transform: transform,
      order: shuffle ? sampler.order(dataset, seed: seed, epoch: epoch) : nil,
      batchSize: batchSize, batches: min(startBatch, batchCount)..<batchCount,
      seed: seed, epoch: epoch, workers: workers)
    for _ in 0..<workers where startBatch < batchCount { threads.append(Self.start(ring)) }
  }

  /// The order of the pictures in an epoch.
  static func order(count: Int, seed: UInt64, epoch: Int) -> [Int32] {
    var random = CounterRandom(seed: seed, stream: .shuffle, counters: UInt64(epoch))
    return (0..<Int32(count)).map { $0 }.drawn(&random)
  }

  /// Writes the next batch; waits when it is not ready yet.
  ///
  /// - Parameters:
  ///   - input: room for `batchSize * size * size * 3` normalised floats, NHWC.
  ///   - labels: room for `batchSize` labels.
  /// - Returns: the number of pictures, 0 at the end of the epoch or after `close`.
  /// - Throws: the error of the first picture in the batch that cannot be read; the loader stays
  ///   at this batch.
  public func next(
    into input: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) throws -> Int {
    guard let batch = ring.waitForNext() else { return 0 }
    if let error = batch.error { throw error }
    normalization.apply(batch.pixels, pixelCount: batch.count * pixelsPerImage, into: input)
    labels.update(from: batch.labels, count: batch.count)
    let count = batch.count
    ring.release()
    return count
  }

  /// Stops the threads and waits until they have ended; further batches are not delivered.
  public func close() {
    ring.close()
    for thread in threads { pthread_join(thread, nil) }
    threads = []
  }

  deinit { close() }

  private static func start(_ ring: BatchRing) -> pthread_t {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(ring).toOpaque()
    let code = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<BatchRing>.fromOpaque(context).takeRetainedValue().work()
        return nil
      }, context)
    precondition(code == 0, "the system can start a thread")
    return thread
  }
}
