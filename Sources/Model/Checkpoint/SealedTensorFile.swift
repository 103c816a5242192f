import Foundation
import Glibc

/// A safetensors file with a seal: a digest of the whole file in the metadata.
///
/// Other tools read it like any safetensors file. The digest is SHA-256 over all bytes of the file,
/// with zeros in the place of the digest's own 64 digits, which stand at a fixed place because the
/// header begins with them. So a bit that turns anywhere, or an end that is missing, is noticed.
struct SealedTensorFile {
  /// One tensor to be written.
  typealias Source = SafeTensors.Source

  private static let headerStart = #"{"__metadata__":{"digest":""#
  private static let digestLength = 64
  private static var digestRange: Range<Int> {
    let start = 8 + headerStart.utf8.count
    return start..<(start + digestLength)
  }

  let url: URL
  /// The text in the metadata.
  let description: String
  private let mapping: MappedFile
  private let header: SafeTensors.Header
  private let tensors: [String: SafeTensors.Tensor]

  // MARK: Writing

  /// Replaces a file, durably.
  /// - Parameter description: text for the metadata.
  /// - Throws: `AtomicFile.Failure`.
  static func write(description: String, tensors: [Source], to url: URL) throws {
    let metadata = [
      (name: "digest", text: String(repeating: "0", count: digestLength)),
      (name: "description", text: description),
    ]
    try AtomicFile.write(to: url) { descriptor in
      var digest = SHA256Digest()
      try SafeTensors.write(metadata: metadata, tensors: tensors) { bytes in
        digest.update(bytes)
        try AtomicFile.append(bytes, to: descriptor, path: url.path)
      }
      let seal = Array(digest.finish().utf8)
      let written = pwrite(descriptor, seal, seal.count, off_t(digestRange.lowerBound))
      guard written == seal.count else { throw AtomicFile.Failure("write", url.path) }
    }
  }

  // MARK: Reading

  /// Opens a file and checks every byte of it.
  /// - Throws: `CheckpointError`.
  init(contentsOf url: URL) throws {
    try self.init(openingWithoutCheck: url)
    do {
      try header.check(size: mapping.bytes.count)
    } catch {
      throw Self.error(error, file: url.path)
    }
    guard Self.digest(mapping.bytes).elementsEqual(mapping.bytes[Self.digestRange]) else {
      throw CheckpointError.damaged(file: url.path)
    }
  }

  /// Opens a file and reads its header, without looking at the tensors: enough for a listing.
  /// - Throws: `CheckpointError`.
  init(openingWithoutCheck url: URL) throws {
    self.url = url
    do {
      mapping = try MappedFile(url)
    } catch {
      throw CheckpointError.unreadable(file: url.path, reason: error.reason)
    }
    let bytes = mapping.bytes
    guard bytes.count > Self.digestRange.upperBound,
      bytes[8...].starts(with: Self.headerStart.utf8)
    else {
      throw bytes.isEmpty
        ? CheckpointError.truncated(file: url.path) : CheckpointError.notACheckpoint(file: url.path)
    }
    do {
      header = try SafeTensors.Header(bytes)
    } catch {
      throw Self.error(error, file: url.path)
    }
    description = header.metadata["description"] ?? ""
    tensors = Dictionary(uniqueKeysWithValues: header.tensors.map { ($0.name, $0) })
  }

  private static func error(_ problem: SafeTensors.Problem, file: String) -> CheckpointError {
    if case .truncated = problem { .truncated(file: file) } else { .damaged(file: file) }
  }

  /// The tensors' names, sorted.
  var names: [String] { tensors.keys.sorted() }

  /// Gives the floats of a tensor.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  func withFloats(
    _ name: String, shape: [Int], _ body: (UnsafePointer<Float>) -> Void
  ) throws {
    try withBytes(name, type: .float32, shape: shape) { bytes in
      // SAFETY: the header is padded, so that floats in the mapped file are aligned.
      if let base = bytes.baseAddress?.assumingMemoryBound(to: Float.self) { body(base) }
    }
  }

  /// A tensor of one integer.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  func integer(_ name: String) throws -> Int64 {
    var value: Int64 = 0
    try withBytes(name, type: .int64, shape: []) { value = $0.loadUnaligned(as: Int64.self) }
    return value
  }

  private func withBytes(
    _ name: String, type: SafeTensors.ElementType, shape: [Int],
    _ body: (UnsafeRawBufferPointer) -> Void
  ) throws {
    guard let tensor = tensors[name], tensor.type == type else {
      throw CheckpointError.missingTensor(file: url.path, name: name)
    }
    guard tensor.shape == shape else {
      throw CheckpointError.wrongShape(
        file: url.path, name: name, found: tensor.shape, expected: shape)
    }
    let start = header.dataStart + tensor.range.lowerBound
    guard start + tensor.range.count <= mapping.bytes.count else {
      throw CheckpointError.truncated(file: url.path)
    }
    body(UnsafeRawBufferPointer(rebasing: mapping.bytes[start..<(start + tensor.range.count)]))
  }

  private static func digest(_ bytes: UnsafeRawBufferPointer) -> String.UTF8View {
    var digest = SHA256Digest()
    digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<digestRange.lowerBound]))
    let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: digestLength)
    zeros.withUnsafeBytes { digest.update($0) }
    digest.update(UnsafeRawBufferPointer(rebasing: bytes[digestRange.upperBound...]))
    return digest.finish().utf8
  }
}
