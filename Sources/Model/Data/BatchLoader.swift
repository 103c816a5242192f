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
  private let seed: UInt64
  private let epoch: Int
  private let recipes: BatchRecipes
  private let ring: BatchRing
  private var threads: [pthread_t] = []

  /// Starts to prepare batches.
  ///
  /// - Parameters:
  ///   - dataset: where the pictures come from.
  ///   - recipes: how the images of each batch are made; splits and mixing need `next` with targets.
  ///   - batchSize: pictures in a batch, at least 1.
  ///   - seed: the seed of the run.
  ///   - epoch: the epoch, from 0.
  ///   - startBatch: the first batch to deliver; those before are skipped without work.
  ///   - shuffle: whether the order is drawn; otherwise it is that of the data set.
  ///   - sampler: how the order is drawn.
  ///   - dropLast: whether an incomplete last batch is left out.
  ///   - workers: threads, at least 1.
  public init(
    dataset: any Dataset, recipes: BatchRecipes, batchSize: Int, seed: UInt64, epoch: Int,
    startBatch: Int = 0, shuffle: Bool, sampler: Sampler = .shuffle, dropLast: Bool,
    workers: Int = 1
  ) {
    precondition(batchSize > 0 && startBatch >= 0 && workers > 0 && epoch >= 0)
    let count = dataset.count
    batchCount = dropLast ? count / batchSize : (count + batchSize - 1) / batchSize
    self.batchSize = batchSize
    self.seed = seed
    self.epoch = epoch
    self.recipes = recipes
    ring = BatchRing(
      dataset: dataset, recipes: recipes,
      order: shuffle ? sampler.order(dataset, seed: seed, epoch: epoch) : nil,
      batchSize: batchSize, splits: recipes.all[0].augmentation.splits,
      batches: min(startBatch, batchCount)..<batchCount,
      seed: seed, epoch: epoch, workers: workers)
    for _ in 0..<workers where startBatch < batchCount { threads.append(Self.start(ring)) }
  }

  /// Starts to prepare batches that are all made in the same way.
  public convenience init(
    dataset: any Dataset, transform: any ImageTransform,
    augmentation: BatchAugmentation = BatchAugmentation(), batchSize: Int, seed: UInt64, epoch: Int,
    startBatch: Int = 0, shuffle: Bool, sampler: Sampler = .shuffle, dropLast: Bool,
    workers: Int = 1
  ) {
    self.init(
      dataset: dataset, recipes: BatchRecipes(BatchRecipe(transform, augmentation)),
      batchSize: batchSize, seed: seed, epoch: epoch, startBatch: startBatch, shuffle: shuffle,
      sampler: sampler, dropLast: dropLast, workers: workers)
  }

  /// The order of the pictures in an epoch.
  static func order(count: Int, seed: UInt64, epoch: Int) -> [Int32] {
    var random = CounterRandom(seed: seed, stream: .shuffle, counters: UInt64(epoch))
    return (0..<Int32(count)).map { $0 }.drawn(&random)
  }

  /// Writes the next batch; waits when it is not ready yet.
  ///
  /// - Parameters:
  ///   - input: room for `batchSize * size * size` pixels of normalised floats, NHWC.
  ///   - labels: room for `batchSize` labels.
  /// - Returns: the number of pictures, 0 at the end of the epoch or after `close`.
  /// - Throws: the error of the first picture in the batch that cannot be read; the loader stays
  ///   at this batch.
  public func next(
    into input: UnsafeMutablePointer<Float>, labels: UnsafeMutablePointer<Int32>
  ) throws -> Int {
    try next { batch in
      let recipe = recipes.recipe(ofBatch: batch.number)
      precondition(
        recipe.augmentation == BatchAugmentation(), "labels alone do not tell what images show")
      labels.update(from: batch.labels, count: batch.count)
      recipe.transform.normalization.apply(
        batch.pixels, pixelCount: batch.count * recipe.transform.imageBytes / 3, into: input)
    }
  }

  /// Writes the next batch with its augmentation; waits when it is not ready yet.
  ///
  /// With n splits the batch holds every picture n times: all of the first version, then all of the
  /// second, and so on, with the labels repeated. A mixing that halves batches leaves the first half.
  ///
  /// - Parameters:
  ///   - input: room for `splits * batchSize * size * size` pixels of normalised floats, NHWC.
  ///   - targets: room for `splits * batchSize` images.
  /// - Returns: the number of pictures, 0 at the end of the epoch or after `close`.
  /// - Throws: as `next` with labels.
  public func next(
    into input: UnsafeMutablePointer<Float>, targets: BatchTargets
  ) throws -> Int {
    try next { batch in
      let recipe = recipes.recipe(ofBatch: batch.number)
      let (augmentation, size) = (recipe.augmentation, recipe.transform.size)
      var rows = augmentation.splits * batch.count
      targets.setLabels(batch.labels, count: batch.count, times: augmentation.splits)
      if !augmentation.mixing.isOff {
        var random = CounterRandom(
          seed: seed, stream: .mixup, counters: UInt64(epoch), UInt64(batch.number))
        augmentation.mixing.apply(
          to: batch.pixels, count: rows, size: size, &random, targets: targets)
      }
      rows = augmentation.mixing.rows(of: rows)
      recipe.transform.normalization.apply(
        batch.pixels, pixelCount: rows * size * size, into: input)
      guard !augmentation.erasing.isOff else { return }
      for row in 0..<rows {
        let key = ring.key(
          batch: batch.number, row: row % batch.count, split: row / batch.count)
        let channels = recipe.transform.normalization.channels
        augmentation.erasing.apply(
          to: input + channels * size * size * row, size: size, channels: channels, key: key,
          row: row, of: rows)
      }
    }
  }

  private func next(_ take: (BatchRing.Batch) -> Void) throws -> Int {
    guard let batch = ring.waitForNext() else { return 0 }
    if let error = batch.error { throw error }
    take(batch)
    ring.release()
    return batch.count
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
