public import Foundation

/// What the file system says of a file: while it stays the same, so do the contents.
public struct FileStamp: Sendable, Hashable {
  /// The device.
  public let device: UInt64
  /// The file's number on it.
  public let inode: UInt64
  /// Bytes.
  public let size: Int64
  /// When the contents changed last, in nanoseconds since 1970.
  public let modified: Int64
  /// When anything about the file changed last, likewise; no program can set it.
  public let changed: Int64

  /// A stamp of these numbers.
  public init(device: UInt64, inode: UInt64, size: Int64, modified: Int64, changed: Int64) {
    self.device = device
    self.inode = inode
    self.size = size
    self.modified = modified
    self.changed = changed
  }

  /// The stamp of a file, or of the one that a link leads to; nil when there is none.
  public init?(of file: URL) {
    var status = stat()
    guard stat(file.path, &status) == 0 else { return nil }
    func nanoseconds(_ time: timespec) -> Int64 {
      Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
    self.init(
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
      modified: nanoseconds(status.st_mtim), changed: nanoseconds(status.st_ctim))
  }

  /// Whether the last change lies so far back that a later one would have another time: the clocks
  /// of file systems may tick as seldom as every two seconds.
  func isSettled(at now: Date) -> Bool {
    Double(max(modified, changed)) / 1e9 + 4 < now.timeIntervalSince1970
  }
}

/// Keeps digests of files, so that large ones are not read again to compute them.
public protocol DigestStore: Sendable {
  /// The SHA-256 of the file with exactly this stamp, as 64 hexadecimal digits; nil when it is not
  /// known.
  func digest(of stamp: FileStamp) -> String?

  /// Remembers the SHA-256 of the file with this stamp.
  func keep(_ digest: String, of stamp: FileStamp)
}

/// The SHA-256 of a file, read only where the store does not know it. What is computed is kept, unless
/// the file may have changed meanwhile.
///
/// - Throws: `DataError.unreadable` when the file cannot be opened or read.
public func sha256(of file: URL, knownBy store: any DigestStore) throws -> String {
  try sha256(of: file, knownBy: store, now: Date())
}

func sha256(of file: URL, knownBy store: any DigestStore, now: Date) throws -> String {
  let stamp = FileStamp(of: file)
  if let known = stamp.flatMap(store.digest) { return known }
  let digest = try sha256(of: file)
  if let stamp, stamp.isSettled(at: now), stamp == FileStamp(of: file) {
    store.keep(digest, of: stamp)
  }
  return digest
}
