import Foundation
import Model

/// The right to train a run, held by one process at a time and given up when the process ends in
/// whatever way.
final class RunLock {
  private let descriptor: Int32

  private init(_ descriptor: Int32) {
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Takes the lock of a run's folder.
  /// - Throws: `RunError.busy` when a living process holds it.
  static func take(_ folder: URL) throws -> RunLock {
    let path = folder.appending(path: ".lock").path
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw AtomicFile.Failure("lock", folder.path) }
    var attempts = 0
    // Someone who only looks holds the lock for an instant.
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK, attempts < 5 {
      attempts += 1
      usleep(10_000)
    }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let failure = AtomicFile.Failure("lock", folder.path)
      let isHeld = errno == EWOULDBLOCK
      let holder = isHeld ? Self.holder(descriptor) : nil
      close(descriptor)
      if isHeld { throw RunError.busy(name: folder.lastPathComponent, process: holder) }
      throw failure
    }
    ftruncate(descriptor, 0)
    let text = "\(getpid())\n"
    _ = text.withCString { write(descriptor, $0, strlen($0)) }
    return RunLock(descriptor)
  }

  /// Whether a living process holds the lock of a folder. Looking takes nothing.
  static func isHeld(_ folder: URL) -> Bool {
    let descriptor = open(folder.appending(path: ".lock").path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    // A shared lock, so that two who look at the same time do not see each other.
    guard flock(descriptor, LOCK_SH | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
    flock(descriptor, LOCK_UN)
    return false
  }

  private static func holder(_ descriptor: Int32) -> Int? {
    var bytes = [UInt8](repeating: 0, count: 32)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    return Int(text.prefix { $0.isNumber })
  }
}
