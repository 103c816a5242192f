import Foundation
import Kernels

/// The batches of a loader between the threads that fill them and the one that takes them.
///
/// Work is handed out in the order of the pictures, in pieces of a batch, so that several threads
/// share a batch. A slot is refilled only after its batch was released.
///
/// SAFETY (`@unchecked Sendable`): every mutable property is read and written under `condition`,
/// except the pixels and labels of a slot. Those belong to the worker that claimed the rows until
/// it reports them done, and to the consumer from `waitForNext` to `release`; both handovers pass
/// through the lock.
final class BatchRing: @unchecked Sendable {
  /// A batch that is ready.
  struct Batch {
    /// All images of the first version, then all of the second, and so on.
    let pixels: UnsafeMutablePointer<UInt8>
    let labels: UnsafePointer<Int32>
    /// The number of pictures, each of which is there in all versions.
    let count: Int
    /// The place of the batch in its epoch.
    let number: Int
    let error: (any Error)?
  }

  private struct Slot {
    let pixels: UnsafeMutablePointer<UInt8>
    let labels: UnsafeMutablePointer<Int32>
    /// Pictures that are not done yet; the batch is ready at 0.
    var remaining = 0
    /// The failure of the picture that comes first in the batch.
    var failure: (row: Int, error: any Error)?
  }

  /// The rows of a batch that a worker has taken on.
  private struct Claim {
    let batch: Int
    let rows: Range<Int>
  }

  private let dataset: any Dataset
  private let recipes: BatchRecipes
  private let order: [Int32]?
  private let batchSize: Int
  private let splits: Int
  private let endBatch: Int
  private let seed: UInt64
  private let epoch: Int
  private let piece: Int

  private let condition = NSCondition()
  private var slots: [Slot]
  private var closed = false
  /// The batch that the consumer takes next.
  private var taken: Int
  /// The next rows to hand out.
  private var claimBatch: Int
  private var claimRow = 0

  init(
    dataset: any Dataset, recipes: BatchRecipes, order: [Int32]?, batchSize: Int,
    splits: Int, batches: Range<Int>, seed: UInt64, epoch: Int, workers: Int
  ) {
    self.dataset = dataset
    self.recipes = recipes
    self.order = order
    self.batchSize = batchSize
    self.splits = splits
    self.seed = seed
    self.epoch = epoch
    let imageBytes = recipes.all.map(\.transform.imageBytes).max() ?? 0
    endBatch = batches.upperBound
    taken = batches.lowerBound
    claimBatch = batches.lowerBound
    piece = max(1, min(16, batchSize / (2 * workers)))
    slots = []
    for _ in 0..<min(2 + workers, batches.count) {
      slots.append(
        Slot(
          pixels: .allocate(capacity: splits * batchSize * imageBytes),
          labels: .allocate(capacity: batchSize)))
    }
  }

  deinit {
    for slot in slots {
      slot.pixels.deallocate()
      slot.labels.deallocate()
    }
  }

  private func count(ofBatch batch: Int) -> Int {
    min(batchSize, dataset.count - batch * batchSize)
  }

  // MARK: The consumer

  /// The next batch, when it is ready; nil at the end or after `close`.
  func waitForNext() -> Batch? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if closed || taken == endBatch { return nil }
      let slot = slots[taken % slots.count]
      if taken < claimBatch, slot.remaining == 0 {
        return Batch(
          pixels: slot.pixels, labels: slot.labels, count: count(ofBatch: taken), number: taken,
          error: slot.failure?.error)
      }
      condition.wait()
    }
  }

  /// Names the draws of the picture in a row of a batch.
  func key(batch: Int, row: Int, split: Int = 0) -> SampleKey {
    let position = batch * batchSize + row
    return SampleKey(
      seed: seed, epoch: epoch, index: order.map { Int($0[position]) } ?? position, split: split)
  }

  /// Gives the batch of `waitForNext` back.
  func release() {
    condition.lock()
    slots[taken % slots.count].failure = nil
    taken += 1
    condition.broadcast()
    condition.unlock()
  }

  /// Tells the workers to end.
  func close() {
    condition.lock()
    closed = true
    condition.broadcast()
    condition.unlock()
  }

  // MARK: A worker

  /// Fills batches until there are no more; runs on a thread of its own.
  func work() {
    let workspace = TransformWorkspace()
    while let (claim, pixels, labels) = claim() {
      var failure: (row: Int, error: any Error)?
      let transform = recipes.recipe(ofBatch: claim.batch).transform
      let imageBytes = transform.imageBytes
      let stride = count(ofBatch: claim.batch) * imageBytes
      for row in claim.rows {
        let key = key(batch: claim.batch, row: row)
        let target = pixels + row * imageBytes
        labels[row] = Int32(dataset.label(key.index))
        do {
          try dataset.withPixels(key.index) {
            if splits == 1 {
              transform.render($0, key: key, workspace: workspace, into: target)
            } else {
              transform.render(
                $0, key: key, splits: splits, stride: stride, workspace: workspace, into: target)
            }
          }
        } catch {
          failure = (row, error)
          break
        }
      }
      finish(claim, failure: failure)
    }
  }

  /// The next piece of work; waits while the ring is full. Nil when there is none left.
  private func claim() -> (Claim, UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<Int32>)? {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if closed || claimBatch == endBatch { return nil }
      if claimBatch < taken + slots.count { break }
      condition.wait()
    }
    let batch = claimBatch
    let total = count(ofBatch: batch)
    let number = batch % slots.count
    if claimRow == 0 { slots[number].remaining = total }
    let rows = claimRow..<min(claimRow + piece, total)
    claimRow = rows.upperBound
    if claimRow == total {
      claimBatch += 1
      claimRow = 0
    }
    return (Claim(batch: batch, rows: rows), slots[number].pixels, slots[number].labels)
  }

  private func finish(_ claim: Claim, failure: (row: Int, error: any Error)?) {
    condition.lock()
    let number = claim.batch % slots.count
    slots[number].remaining -= claim.rows.count
    if let failure, failure.row < slots[number].failure?.row ?? .max {
      slots[number].failure = failure
    }
    if slots[number].remaining == 0 { condition.broadcast() }
    condition.unlock()
  }
}
