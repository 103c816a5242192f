internal import Foundation
internal import Glibc

/// The bytes of a regular file, mapped into memory for reading, or a copy of bytes in memory.
///
/// SAFETY: the mapping is made once, read-only, and lives as long as the object; who uses the bytes
/// keeps the object alive meanwhile.
final class MappedFile: @unchecked Sendable {
  /// Why a file could not be mapped.
  enum Failure: Error {
    /// The system's words.
    case refused(String)
    case isDirectory
    /// A device, a pipe, a socket.
    case isNoRegularFile

    /// Why, in words.
    var reason: String {
      switch self {
      case .refused(let reason): reason
      case .isDirectory: "it is a folder"
      case .isNoRegularFile: "it is a device or a pipe, not a file"
      }
    }
  }

  /// Everything in the file.
  let bytes: UnsafeRawBufferPointer
  private let isMapped: Bool

  /// Copies bytes that stand for a file.
  init(copying source: some Collection<UInt8>) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
    copy.copyBytes(from: source)
    bytes = UnsafeRawBufferPointer(copy)
    isMapped = false
  }

  /// Maps a file; an empty one has no bytes.
  init(_ url: URL) throws(Failure) {
    // Without O_NONBLOCK a named pipe would wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.refusal() }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.refusal() }
    switch status.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw .isDirectory
    default: throw .isNoRegularFile
    }
    let count = Int(status.st_size)
    isMapped = true
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let base, base != MAP_FAILED else { throw Self.refusal() }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if !isMapped {
      bytes.deallocate()
    } else if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  private static func refusal() -> Failure {
    .refused(String(cString: strerror(errno)).lowercased())
  }
}
