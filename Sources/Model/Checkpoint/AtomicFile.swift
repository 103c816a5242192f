public import Foundation
import Glibc

/// Writing files so that after a crash or a power cut they are whole: either the old or the new.
public enum AtomicFile {
  /// What the operating system refused.
  public struct Failure: ModelError, Equatable {
    /// The file or folder.
    public let path: String
    /// What was tried: `write`, `open`, ...
    public let action: String
    /// The system's words.
    public let reason: String

    /// Takes the reason from `errno`.
    public init(_ action: String, _ path: String) {
      self.path = path
      self.action = action
      reason = String(cString: strerror(errno))
    }

    /// What went wrong, in one line.
    public var message: String { "cannot \(action) '\(path)': \(reason)" }
    /// Nothing: the reason says it.
    public var advice: String? { nil }
    /// A matter of the machine.
    public var kind: ModelErrorKind { .resource }
  }

  /// Replaces a file by new contents, durably.
  /// - Throws: `Failure`.
  public static func write(_ data: Data, to url: URL) throws {
    try write(to: url) { descriptor in
      try data.withUnsafeBytes { try append($0, to: descriptor, path: url.path) }
    }
  }

  /// Replaces a file by what `body` writes to the descriptor of a new file beside it, durably; the
  /// old file stays as it was when `body` throws.
  /// - Throws: `Failure`, and what `body` throws.
  static func write(to url: URL, _ body: (Int32) throws -> Void) throws {
    let temporary = url.path + ".tmp"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Failure("create", temporary) }
    do {
      defer { close(descriptor) }
      try body(descriptor)
      guard fsync(descriptor) == 0 else { throw Failure("write", temporary) }
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, url.path) == 0 else {
      let failure = Failure("replace", url.path)
      unlink(temporary)
      throw failure
    }
    try synchronize(folder: url.deletingLastPathComponent())
  }

  /// Makes `url` another name of `file`, replacing what was called so, durably. Where the file system
  /// has no hard links the file is copied.
  /// - Throws: `Failure`.
  static func link(_ file: URL, to url: URL) throws {
    let temporary = url.path + ".tmp"
    unlink(temporary)
    if Glibc.link(file.path, temporary) != 0 {
      try write(Data(contentsOf: file, options: .alwaysMapped), to: url)
      return
    }
    // Renaming one name of a file onto another name of the same file does nothing; the temporary
    // name would stay.
    guard rename(temporary, url.path) == 0 else { throw Failure("replace", url.path) }
    unlink(temporary)
    try synchronize(folder: url.deletingLastPathComponent())
  }

  /// Makes the names in a folder durable.
  /// - Throws: `Failure`.
  static func synchronize(folder: URL) throws {
    let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Failure("open", folder.path) }
    defer { close(descriptor) }
    // Some network file systems cannot do this; the rename stands all the same.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Failure("write", folder.path) }
  }

  /// Writes all bytes at the end of an open file.
  /// - Throws: `Failure`.
  public static func append(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, path: String
  ) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let written = Glibc.write(descriptor, part.baseAddress, part.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw Failure("write", path)
      }
      rest = rest.dropFirst(written)
    }
  }
}
