internal import Foundation

/// A file mapped read-only into memory.
///
/// SAFETY: the mapping lives as long as the object and is never written. A file that shrinks while
/// it is mapped is outside what a program can guard against; ours are replaced, never rewritten.
final class MappedFile: @unchecked Sendable {
  let path: String
  let bytes: UnsafeRawBufferPointer

  /// Maps a regular file.
  ///
  /// - Throws: `WeightError.cannotRead`.
  init(_ file: URL) throws(WeightError) {
    path = file.path
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw Self.failure(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw Self.failure(path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .cannotRead(path: path, reason: "it is not a regular file")
    }
    let count = Int(status.st_size)
    guard count > 0 else {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let base = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
    else { throw Self.failure(path) }
    bytes = UnsafeRawBufferPointer(start: base, count: count)
  }

  deinit {
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  private static func failure(_ path: String) -> WeightError {
    .cannotRead(path: path, reason: systemErrorText())
  }
}

/// The C library's words for the last failure, in lower case.
func systemErrorText(_ code: Int32 = errno) -> String {
  String(cString: strerror(code)).lowercased()
}
