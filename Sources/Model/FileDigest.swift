import CDigest
public import Foundation

/// The SHA-256 of a file, as 64 hexadecimal digits; the file is read in pieces.
///
/// - Throws: `DataError.unreadable` when the file cannot be opened or read.
public func sha256(of file: URL) throws -> String {
  try digest(of: file, Digest(.sha256))
}

/// The MD5 of a file, as 32 hexadecimal digits: what the authors of old data sets publish. It tells
/// damage, not malice.
///
/// - Throws: `DataError.unreadable` when the file cannot be opened or read.
public func md5(of file: URL) throws -> String {
  try digest(of: file, Digest(.md5))
}

private func digest(of file: URL, _ digest: consuming Digest) throws -> String {
  let handle: FileHandle
  do {
    handle = try FileHandle(forReadingFrom: file)
  } catch {
    throw DataError.unreadable(file: file.path, reason: plainReason(of: error))
  }
  defer { try? handle.close() }
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
  let digest = Digest(.sha256)
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

/// A running digest of OpenSSL.
struct Digest: ~Copyable {
  // SAFETY: the context is made in `init` and freed in `deinit`, and never leaves the struct.
  private let context: OpaquePointer

  enum Algorithm { case sha256, md5 }

  init(_ algorithm: Algorithm) {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    self.context = context
    let function = algorithm == .sha256 ? EVP_sha256() : EVP_md5()
    let started = EVP_DigestInit_ex(context, function, nil)
    precondition(started == 1, "OpenSSL has the algorithm")
  }

  func update(_ bytes: UnsafeRawBufferPointer) {
    let updated = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    precondition(updated == 1)
  }

  /// The digest of all bytes, in hexadecimal digits; nothing may follow.
  func finish() -> String {
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let finished = EVP_DigestFinal_ex(context, &result, &length)
    precondition(finished == 1)
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: result[..<Int(length)].flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
      as: UTF8.self)
  }

  deinit { EVP_MD_CTX_free(context) }
}
