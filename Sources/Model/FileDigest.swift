import CDigest
public import Foundation

/// The SHA-256 of a file, as 64 hexadecimal digits; the file is read in pieces.
///
/// - Throws: `DataError.unreadable` when the file cannot be opened or read.
public func sha256(of file: URL) throws -> String {
  let handle: FileHandle
  do {
    handle = try FileHandle(forReadingFrom: file)
  } catch {
    throw DataError.unreadable(file: file.path, reason: plainReason(of: error))
  }
  defer { try? handle.close() }
  var digest = SHA256Digest()
  do {
    while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
      piece.withUnsafeBytes { digest.update($0) }
    }
  } catch {
    throw DataError.unreadable(file: file.path, reason: plainReason(of: error))
  }
  return digest.finish()
}

/// The SHA-256 of bytes in memory, as 64 hexadecimal digits.
public func sha256(of bytes: [UInt8]) -> String {
  var digest = SHA256Digest()
  bytes.withUnsafeBytes { digest.update($0) }
  return digest.finish()
}

/// The words of the system for why a file could not be read, without Foundation's wrapping.
func plainReason(of error: any Error) -> String {
  let error = error as NSError
  if let inner = error.userInfo[NSUnderlyingErrorKey] as? NSError,
    inner.domain == NSPOSIXErrorDomain
  {
    return String(cString: strerror(Int32(inner.code))).lowercased()
  }
  if error.domain == NSPOSIXErrorDomain {
    return String(cString: strerror(Int32(error.code))).lowercased()
  }
  if error.domain == NSCocoaErrorDomain {
    switch error.code {
    case CocoaError.fileReadNoSuchFile.rawValue, CocoaError.fileNoSuchFile.rawValue:
      return "no such file or directory"
    case CocoaError.fileReadNoPermission.rawValue: return "permission denied"
    default: break
    }
  }
  return error.localizedDescription
}

/// A running SHA-256 of OpenSSL.
struct SHA256Digest: ~Copyable {
  // SAFETY: the context is made in `init` and freed in `deinit`, and never leaves the struct.
  private let context: OpaquePointer

  init() {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    self.context = context
    let started = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    precondition(started == 1, "OpenSSL has SHA-256")
  }

  mutating func update(_ bytes: UnsafeRawBufferPointer) {
    let updated = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(updated == 1)
  }

  mutating func finish() -> String {
    var result = [UInt8](repeating: 0, count: 32)
    var length: UInt32 = 0
    let finished = EVP_DigestFinal_ex(context, &result, &length)
    precondition(finished == 1 && length == 32)
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: result.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  deinit { EVP_MD_CTX_free(context) }
}
