import Foundation

/// A picture that cannot be decoded.
public struct BrokenPicture: Sendable, Equatable {
  /// The picture's number in its set.
  public let index: Int
  /// Its file.
  public let file: String
  /// What is wrong, in one line that names the file.
  public let problem: String
}

/// What reading every picture of a set gave.
public struct DatasetCheck: Sendable {
  /// The pictures that cannot be decoded, in order.
  public var broken: [BrokenPicture] = []
  /// The SHA-256 of each file; nil for a broken one and for sets that lie in no files of their own.
  public var digests: [String?] = []
}

extension Dataset {
  /// Decodes every picture, on all cores.
  ///
  /// - Parameters:
  ///   - withDigests: whether the contents are hashed too.
  ///   - progress: is told now and then how many are done; it answers whether to go on.
  /// - Returns: nil when `progress` stopped it.
  public func check(
    withDigests: Bool = false, progress: (_ done: Int) -> Bool = { _ in true }
  ) -> DatasetCheck? {
    var check = DatasetCheck()
    for start in stride(from: 0, to: count, by: 256) {
      guard progress(start) else { return nil }
      let size = min(256, count - start)
      let piece = CheckedPiece(size)
      DispatchQueue.concurrentPerform(iterations: size) { row in
        let index = start + row
        do {
          try withPixels(index) { _ in }
          if withDigests { piece.set(row, digest: try digest(index)) }
        } catch {
          let message = (error as? any ModelError)?.message ?? String(describing: error)
          piece.set(
            row,
            broken: BrokenPicture(
              index: index, file: file(index) ?? "picture \(index)", problem: message))
        }
      }
      check.broken += piece.broken.compactMap(\.self)
      check.digests += piece.digests
    }
    return progress(count) ? check : nil
  }
}

/// Results that several threads put down.
///
/// SAFETY (`@unchecked Sendable`): written under `lock`, read after all threads have ended.
private final class CheckedPiece: @unchecked Sendable {
  private let lock = NSLock()
  private(set) var broken: [BrokenPicture?]
  private(set) var digests: [String?]

  init(_ count: Int) {
    broken = Array(repeating: nil, count: count)
    digests = Array(repeating: nil, count: count)
  }

  func set(_ row: Int, broken picture: BrokenPicture) {
    lock.withLock { broken[row] = picture }
  }

  func set(_ row: Int, digest: String?) {
    lock.withLock { digests[row] = digest }
  }
}

extension DataSource {
  /// The same data without the pictures that cannot be decoded, so that every batch is full of
  /// sound ones whoever reads them; all pictures are decoded to find out.
  ///
  /// - Parameter progress: is told how many pictures are done, of all; it answers whether to go on.
  /// - Returns: the data and what was left out; nil when `progress` stopped it.
  /// - Throws: `DataError.noSoundPicture` when a set has none left.
  public func leavingOutBroken(
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
  ) throws -> (data: DataSource, broken: [BrokenPicture])? {
    var broken: [BrokenPicture] = []
    var done = 0
    var isStopped = false
    let total = sets.reduce(0) { $0 + $1.count }
    let sound = try mapping(recipe: "") { set in
      guard !isStopped, let check = set.check(progress: { progress(done + $0, total) }) else {
        isStopped = true
        return set
      }
      done += set.count
      guard !check.broken.isEmpty else { return set }
      guard check.broken.count < set.count else { throw DataError.noSoundPicture(name: set.name) }
      broken += check.broken
      let bad = Set(check.broken.map(\.index))
      return DatasetSubset(
        of: set, indices: (0..<Int32(set.count)).filter { !bad.contains(Int($0)) })
    }
    if isStopped { return nil }
    let recipe = broken.map { "without \($0.file)\n" }.joined()
    return (sound.mapping(recipe: recipe) { $0 }, broken)
  }
}
