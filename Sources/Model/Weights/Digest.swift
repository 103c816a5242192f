internal import CDigest
public import Foundation

/// The SHA-256 of a file, in 64 lower-case hexadecimal digits; the file is streamed.
///
/// - Throws: `WeightError.cannotRead`.
public func sha256(of file: URL) throws -> String {
  let path = file.path
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else {
    throw WeightError.cannotRead(path: path, reason: systemErrorText())
  }
  defer { close(descriptor) }
  let context = EVP_MD_CTX_new()
  defer { EVP_MD_CTX_free(context) }
  guard context != nil, EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
    throw WeightError.cannotRead(path: path, reason: "OpenSSL offers no SHA-256")
  }
  let block = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
  defer { block.deallocate() }
  while true {
    let count = read(descriptor, block.baseAddress, block.count)
    if count < 0 {
      if errno == EINTR { continue }
      throw WeightError.cannotRead(path: path, reason: systemErrorText())
    }
    if count == 0 { break }
    EVP_DigestUpdate(context, block.baseAddress, count)
  }
  var digest = [UInt8](repeating: 0, count: 32)
  EVP_DigestFinal_ex(context, &digest, nil)
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
