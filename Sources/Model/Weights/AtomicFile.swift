internal import Foundation

/// A file that appears under its name complete or not at all: written beside it, forced to disk,
/// then renamed over it.
struct AtomicFile: ~Copyable {
  private let target: String
  private let temporary: String
  private var descriptor: Int32

  /// Opens the temporary file, in the target's folder.
  ///
  /// - Throws: `WeightError.cannotWrite`.
  init(_ url: URL) throws(WeightError) {
    target = url.path
    let folder = url.deletingLastPathComponent().path
    let unique = UInt64.random(in: 0 ... .max)
    temporary =
      "\(folder)/.\(url.lastPathComponent).\(getpid())-\(String(unique, radix: 36)).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw .cannotWrite(path: target, reason: systemErrorText())
    }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  /// Appends bytes.
  func write(_ bytes: UnsafeRawBufferPointer) throws(WeightError) {
    var rest = bytes
    while let base = rest.baseAddress, rest.count > 0 {
      let written = Foundation.write(descriptor, base, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw .cannotWrite(path: target, reason: systemErrorText())
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Forces the bytes to disk and gives the file its name.
  mutating func commit() throws(WeightError) {
    guard fsync(descriptor) == 0 else {
      throw .cannotWrite(path: target, reason: systemErrorText())
    }
    let status = close(descriptor)
    descriptor = -1
    guard status == 0, rename(temporary, target) == 0 else {
      let reason = systemErrorText()
      unlink(temporary)
      throw .cannotWrite(path: target, reason: reason)
    }
    // The name is durable once its folder is; a folder that cannot be synced costs durability only.
    let folder = open(
      URL(fileURLWithPath: target).deletingLastPathComponent().path,
      O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }
}
