import Foundation
import Glibc

/// A safetensors file with a seal: a digest of the whole file in the metadata.
///
/// Other tools read it like any safetensors file. The digest is SHA-256 over all bytes of the file,
/// with zeros in the place of the digest's own 64 digits, which stand at a fixed place because the
/// header begins with them. So a bit that turns anywhere, or an end that is missing, is noticed.
struct SealedTensorFile {
  /// One tensor to be written.
  struct Source {
    enum Values {
      /// Fills a buffer of floats, in the layout of the file.
      case floats((UnsafeMutablePointer<Float>) -> Void)
      case integer(Int64)
    }
    let name: String
    let shape: [Int]
    let values: Values

    var count: Int { shape.reduce(1, *) }
    var byteCount: Int {
      switch values {
      case .floats: return count * MemoryLayout<Float>.size
      case .integer: return MemoryLayout<Int64>.size
      }
    }
  }

  private struct Entry: Codable {
    let dtype: String
    let shape: [Int]
    let data_offsets: [Int]
  }

  private static let headerStart = #"{"__metadata__":{"digest":""#
  private static let digestLength = 64
  private static var digestRange: Range<Int> {
    let start = 8 + headerStart.utf8.count
    return start..<(start + digestLength)
  }

  let url: URL
  /// The text in the metadata.
  let description: String
  private let data: Data
  private let dataStart: Int
  private let entries: [String: Entry]

  // MARK: Writing

  /// Replaces a file, durably.
  /// - Parameter description: text for the metadata.
  /// - Throws: `AtomicFile.Failure`.
  static func write(description: String, tensors: [Source], to url: URL) throws {
    let header = header(description: description, tensors: tensors)
    let scratchBytes = max(8, tensors.map(\.byteCount).max() ?? 0)
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: scratchBytes, alignment: 64)
    defer { scratch.deallocate() }
    try AtomicFile.write(to: url) { descriptor in
      var digest = SHA256Digest()
      func append(_ bytes: UnsafeRawBufferPointer) throws {
        digest.update(bytes)
        try AtomicFile.append(bytes, to: descriptor, path: url.path)
      }
      try header.withUnsafeBytes { try append($0) }
      for tensor in tensors {
        // SAFETY: the scratch is as large as the largest tensor and aligned for any number.
        switch tensor.values {
        case .floats(let fill):
          if let base = scratch.baseAddress?.bindMemory(to: Float.self, capacity: tensor.count) {
            fill(base)
          }
        case .integer(let value): scratch.storeBytes(of: value, as: Int64.self)
        }
        try append(UnsafeRawBufferPointer(rebasing: scratch[..<tensor.byteCount]))
      }
      let seal = Array(digest.finish().utf8)
      let written = pwrite(descriptor, seal, seal.count, off_t(digestRange.lowerBound))
      guard written == seal.count else { throw AtomicFile.Failure("write", url.path) }
    }
  }

  private static func header(description: String, tensors: [Source]) -> [UInt8] {
    var text = headerStart
    text += String(repeating: "0", count: digestLength)
    text += #"","description":"# + quoted(description) + "}"
    var offset = 0
    for tensor in tensors {
      let type: String
      switch tensor.values {
      case .floats: type = "F32"
      case .integer: type = "I64"
      }
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      text += ",\(quoted(tensor.name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
      text += "\"data_offsets\":[\(offset),\(offset + tensor.byteCount)]}"
      offset += tensor.byteCount
    }
    text += "}"
    // The format allows spaces at the end, which bring the numbers to a multiple of 8.
    text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    let count = UInt64(text.utf8.count).littleEndian
    return withUnsafeBytes(of: count) { Array($0) } + Array(text.utf8)
  }

  private static func quoted(_ text: String) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .withoutEscapingSlashes
    guard let data = try? encoder.encode(text) else {
      preconditionFailure("every string can be written as JSON")
    }
    return String(decoding: data, as: UTF8.self)
  }

  // MARK: Reading

  /// Opens a file and checks every byte of it.
  /// - Throws: `CheckpointError`.
  init(contentsOf url: URL) throws {
    try self.init(openingWithoutCheck: url)
    guard data.count == dataStart + byteCount else {
      throw data.count < dataStart + byteCount
        ? CheckpointError.truncated(file: url.path) : CheckpointError.damaged(file: url.path)
    }
    guard try Self.digest(data) == data[Self.digestRange] else {
      throw CheckpointError.damaged(file: url.path)
    }
  }

  /// Opens a file and reads its header, without looking at the tensors: enough for a listing.
  /// - Throws: `CheckpointError`.
  init(openingWithoutCheck url: URL) throws {
    self.url = url
    do {
      data = try Data(contentsOf: url, options: .alwaysMapped)
    } catch {
      throw CheckpointError.unreadable(file: url.path, reason: plainReason(of: error))
    }
    let start = Data(Self.headerStart.utf8)
    guard data.count > Self.digestRange.upperBound, data[8..<(8 + start.count)] == start else {
      throw data.isEmpty
        ? CheckpointError.truncated(file: url.path) : CheckpointError.notACheckpoint(file: url.path)
    }
    let length = data.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard length <= data.count - 8 else { throw CheckpointError.truncated(file: url.path) }
    dataStart = 8 + Int(length)
    guard let header = try? JSONDecoder().decode(Header.self, from: data[8..<dataStart]) else {
      throw CheckpointError.damaged(file: url.path)
    }
    description = header.description
    entries = header.entries
    for entry in entries.values {
      let range = entry.data_offsets
      guard range.count == 2, range[0] >= 0, range[0] <= range[1], range[1] < Int(Int32.max) << 16
      else { throw CheckpointError.damaged(file: url.path) }
    }
  }

  /// The tensors' names, sorted.
  var names: [String] { entries.keys.sorted() }

  /// Gives the floats of a tensor.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  func withFloats(
    _ name: String, shape: [Int], _ body: (UnsafePointer<Float>) -> Void
  ) throws {
    try withBytes(name, type: "F32", shape: shape) { bytes in
      // SAFETY: the header is padded, so that floats in the mapped file are aligned.
      if let base = bytes.baseAddress?.assumingMemoryBound(to: Float.self) { body(base) }
    }
  }

  /// A tensor of one integer.
  /// - Throws: `CheckpointError.missingTensor`, `.wrongShape`.
  func integer(_ name: String) throws -> Int64 {
    var value: Int64 = 0
    try withBytes(name, type: "I64", shape: []) { value = $0.loadUnaligned(as: Int64.self) }
    return value
  }

  private func withBytes(
    _ name: String, type: String, shape: [Int], _ body: (UnsafeRawBufferPointer) -> Void
  ) throws {
    guard let entry = entries[name], entry.dtype == type else {
      throw CheckpointError.missingTensor(file: url.path, name: name)
    }
    guard entry.shape == shape else {
      throw CheckpointError.wrongShape(
        file: url.path, name: name, found: entry.shape, expected: shape)
    }
    let range = (dataStart + entry.data_offsets[0])..<(dataStart + entry.data_offsets[1])
    let size = shape.reduce(type == "F32" ? 4 : 8, *)
    guard range.count == size, range.upperBound <= data.count else {
      throw CheckpointError.damaged(file: url.path)
    }
    data.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  private var byteCount: Int { entries.values.map { $0.data_offsets[1] }.max() ?? 0 }

  private static func digest(_ data: Data) throws -> Data {
    var digest = SHA256Digest()
    data.withUnsafeBytes { bytes in
      digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<digestRange.lowerBound]))
      let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: digestLength)
      zeros.withUnsafeBytes { digest.update($0) }
      digest.update(UnsafeRawBufferPointer(rebasing: bytes[digestRange.upperBound...]))
    }
    return Data(digest.finish().utf8)
  }

  private struct Header: Decodable {
    var description = ""
    var entries: [String: Entry] = [:]

    private struct Name: CodingKey {
      let stringValue: String
      var intValue: Int? { nil }
      init(stringValue: String) { self.stringValue = stringValue }
      init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Name.self)
      for name in container.allKeys {
        if name.stringValue == "__metadata__" {
          let metadata = try container.decode([String: String].self, forKey: name)
          description = metadata["description"] ?? ""
        } else {
          entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
        }
      }
    }
  }
}
