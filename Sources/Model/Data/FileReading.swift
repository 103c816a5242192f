import Foundation

/// Reads a whole file straight into an array.
///
/// - Throws: `DataError.unreadable`.
func readWhole(_ file: URL) throws -> [UInt8] {
  func failure(_ code: Int32) -> DataError {
    .unreadable(file: file.path, reason: String(cString: strerror(code)).lowercased())
  }
  let descriptor = open(file.path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw failure(errno) }
  defer { close(descriptor) }
  var status = stat()
  guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
  if status.st_mode & S_IFMT == S_IFDIR { throw failure(EISDIR) }
  guard status.st_mode & S_IFMT == S_IFREG else {
    throw DataError.unreadable(file: file.path, reason: "not a regular file")
  }
  let size = Int(status.st_size)
  return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
    while count < size {
      let got = read(descriptor, buffer.baseAddress.map { $0 + count }, size - count)
      if got < 0 {
        if errno == EINTR { continue }
        throw failure(errno)
      }
      if got == 0 { break }  // the file was cut off meanwhile
      count += got
    }
  }
}
