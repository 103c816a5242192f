import Foundation
import Glibc

/// A safetensors file with a seal: a digest of the whole file in the metadata.
///
/// Other tools read it like any safetensors file. The digest is SHA-256 over all bytes of the file,
/// with zeros in the place of the digest's own 64 digits, which stand at a fixed place because the
/// header begins with them. So a bit that turns anywhere, or an end that is missing, is noticed.
struct SealedTensorFile: Sendable {
  private static let headerStart = #"{"__metadata__":{"digest":""#
  private static let zeros = String(repeating: "0", count: 64)
  private static let digestRange = (8 + headerStart.utf8.count)..<(8 + headerStart.utf8.count + 64)

  let url: URL
  /// The text in the metadata.
  let description: String
  private let file: SafeTensors.File

  // MARK: Writing

  /// Replaces a file, durably.
  /// - Parameter description: text for the metadata.
  /// - Throws: `AtomicFile.Failure`.
  static func write(
    description: String, tensors: [SafeTensors.Source], to url: URL
  ) throws {
    try AtomicFile.write(to: url) { descriptor in
      let digest = Digest(.sha256)
      let metadata = [("digest", zeros), ("description", description)]
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
    let mapping: MappedFile
    do {
      mapping = try MappedFile(url)
    } catch {
      throw CheckpointError.unreadable(file: url.path, reason: error.reason)
    }
    guard Self.digest(mapping.bytes) == file.metadata["digest"] else {
      throw CheckpointError.damaged(file: url.path)
    }
  }

  /// Opens a file and reads its header, without looking at the tensors: enough for a listing.
  /// - Throws: `CheckpointError`.
  init(openingWithoutCheck url: URL) throws {
    self.url = url
    do {
      file = try SafeTensors.File(contentsOf: url)
    } catch let error as WeightError {
      throw Self.error(for: error, file: url.path)
    }
    guard file.metadata["digest"]?.utf8.count == Self.zeros.utf8.count,
      let description = file.metadata["description"]
    else { throw CheckpointError.notACheckpoint(file: url.path) }
    self.description = description
  }

  /// The tensors' names.
  var names: [String] { file.tensors.map(\.name) }

  /// Gives the floats of a tensor.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  func withFloats(
    _ name: String, shape: [Int], _ body: (UnsafePointer<Float>) -> Void
  ) throws {
    let tensor = try tensor(name, .float32, shape: shape)
    var scratch: [Float] = []
    file.withFloats(tensor, scratch: &scratch, body)
  }

  /// A tensor of one integer.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  func integer(_ name: String) throws -> Int64 {
    file.integer(try tensor(name, .int64, shape: []))
  }

  private func tensor(
    _ name: String, _ type: ElementType, shape: [Int]
  ) throws -> SafeTensors.Tensor {
    guard let tensor = file[name], tensor.type == type else {
      throw CheckpointError.missingTensor(file: url.path, name: name)
    }
    guard tensor.shape == shape else {
      throw CheckpointError.wrongShape(
        file: url.path, name: name, found: tensor.shape, expected: shape)
    }
    return tensor
  }

  private static func digest(_ bytes: UnsafeRawBufferPointer) -> String {
    let digest = Digest(.sha256)
    digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<digestRange.lowerBound]))
    Array(zeros.utf8).withUnsafeBytes { digest.update($0) }
    digest.update(UnsafeRawBufferPointer(rebasing: bytes[digestRange.upperBound...]))
    return digest.finish()
  }

  private static func error(for error: WeightError, file: String) -> CheckpointError {
    switch error {
    case .unreadable(_, let reason): return .unreadable(file: file, reason: reason)
    case .empty, .damaged(_, .truncated): return .truncated(file: file)
    case .damaged(_, .notSafeTensors), .damaged(_, .headerTooLarge), .foreignFormat, .directory:
      return .notACheckpoint(file: file)
    default: return .damaged(file: file)
    }
  }
}
