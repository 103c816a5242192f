/// Memory that all plans of one pool share, since only one of them computes at a time.
///
/// SAFETY: `buffer` is replaced and handed out only while the lock is held.
final class Workspace: @unchecked Sendable {
  private let lock = Gate()
  private var buffer = FloatBuffer(count: 0)

  /// Makes sure that later calls of `use` find at least `count` floats.
  func reserve(_ count: Int) {
    lock.lock()
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
  func use(_ body: (UnsafeMutablePointer<Float>) -> Void) {
    lock.lock()
    body(buffer.base)
    lock.unlock()
  }
}
