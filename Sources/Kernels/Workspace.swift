/// Memory that all plans of one pool use, since only one of them computes at a time.
///
/// SAFETY: `buffer` is replaced and handed out only while the lock is held.
final class Workspace: @unchecked Sendable {
  private let lock = Gate()
  private let workers: Int
  private var buffer = FloatBuffer(count: 0)
  private var sharedCount = 0
  private var ownCount = 0

  /// Memory for a pool of so many threads.
  init(workers: Int) { self.workers = workers }

  /// Makes sure that later calls of `use` find so many floats for all, and for each worker.
  func reserve(shared: Int = 0, own: Int = 0) {
    lock.lock()
    sharedCount = max(sharedCount, shared)
    ownCount = max(ownCount, (own + 31) & ~31)
    let count = workers * ownCount + sharedCount
    if count > buffer.count { buffer = FloatBuffer(count: count) }
    lock.unlock()
  }

  /// The size of the memory.
  var bytes: Int {
    lock.lock()
    defer { lock.unlock() }
    return buffer.count * MemoryLayout<Float>.stride
  }

  /// Runs `body` with the memory, alone. What the memory holds is unspecified.
  func use(_ body: (WorkMemory) -> Void) {
    lock.lock()
    body(WorkMemory(base: buffer.base, ownCount: ownCount, workers: workers))
    lock.unlock()
  }
}

/// What a plan may write while it computes: memory for all workers, and for each its own, which lies at
/// the same place for every plan.
///
/// A line that two cores have read costs one of them much time to write, several times that of reading
/// it where the cores share no cache: it has to be taken from the other. A worker's own memory stays
/// with its core.
struct WorkMemory {
  private let base: UnsafeMutablePointer<Float>
  private let ownCount: Int
  /// Memory for all.
  let shared: UnsafeMutablePointer<Float>

  fileprivate init(base: UnsafeMutablePointer<Float>, ownCount: Int, workers: Int) {
    self.base = base
    self.ownCount = ownCount
    shared = base + workers * ownCount
  }

  /// A worker's own memory.
  @inline(__always)
  func own(_ worker: Int) -> UnsafeMutablePointer<Float> { base + worker &* ownCount }
}
