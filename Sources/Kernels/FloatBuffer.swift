internal import Glibc

/// An owned block of floats: zeroed, 64-byte aligned, on huge pages where it is large.
///
/// SAFETY: the buffer is only an address and a size that never change; whoever shares the memory
/// between threads orders the accesses.
public struct FloatBuffer: ~Copyable, @unchecked Sendable {
  /// The first element.
  public let base: UnsafeMutablePointer<Float>
  /// The number of elements.
  public let count: Int

  /// Allocates `count` zeros.
  public init(count: Int) {
    precondition(count >= 0, "a buffer cannot have a negative size")
    let hugePage = 1 << 21
    let bytes = max(64, count * MemoryLayout<Float>.stride)
    let isLarge = bytes >= hugePage
    let alignment = isLarge ? hugePage : 64
    var memory: UnsafeMutableRawPointer?
    let status = posix_memalign(&memory, alignment, (bytes + alignment - 1) & ~(alignment - 1))
    guard status == 0, let memory else {
      fatalError("out of memory: \(bytes) bytes were asked for")
    }
    if isLarge { madvise(memory, bytes, Int32(MADV_HUGEPAGE)) }
    memset(memory, 0, bytes)
    base = memory.bindMemory(to: Float.self, capacity: max(1, count))
    self.count = count
  }

  deinit { free(base) }
}
