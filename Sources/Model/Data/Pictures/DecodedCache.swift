import Foundation

/// Decoded pictures that are kept in memory, up to a number of bytes.
///
/// What comes first stays: an epoch takes every picture once, in an order of its own, so that
/// throwing out the oldest would throw out what the next epoch asks for. Which pictures are kept can
/// depend on the threads; what a picture looks like cannot.
///
/// SAFETY (`@unchecked Sendable`): the mutable properties are used under `lock` alone.
final class DecodedCache: @unchecked Sendable {
  /// The most bytes that the pictures may take.
  let capacity: Int
  private let lock = NSLock()
  private var pictures: [Int: ImageRGB] = [:]
  private var used = 0

  /// What the table needs for a picture besides its pixels.
  private static let overhead = 128

  /// An empty cache; a capacity of 0 keeps nothing.
  init(capacity: Int) {
    precondition(capacity >= 0)
    self.capacity = capacity
  }

  /// The bytes taken now.
  var bytes: Int { lock.withLock { used } }

  /// The picture kept under a number; otherwise the one that `decode` makes.
  func picture(_ number: Int, decode: () throws -> ImageRGB) rethrows -> ImageRGB {
    if let kept = lock.withLock({ pictures[number] }) { return kept }
    let picture = try decode()
    let size = picture.pixels.count + Self.overhead
    lock.withLock {
      guard used + size <= capacity, pictures[number] == nil else { return }
      pictures[number] = picture
      used += size
    }
    return picture
  }
}
