public import Foundation

/// The safetensors container: a JSON header of names, types, shapes and offsets, then the numbers.
///
/// A reader maps the file and checks the whole header before any number is touched: sizes, types,
/// names, and that the tensors fill the file without overlap or gap.
public final class SafeTensors: Sendable {
  /// The types of numbers that a file can declare.
  public enum ElementType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8Wide = "F8_E5M2"
    case float8Narrow = "F8_E4M3"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// The bytes of one number.
    public var size: Int {
      switch self {
      case .bool, .uint8, .int8, .float8Wide, .float8Narrow: 1
      case .int16, .uint16, .float16, .bfloat16: 2
      case .int32, .uint32, .float32: 4
      case .float64, .int64, .uint64: 8
      }
    }
  }

  /// One tensor of a file.
  public struct Tensor: Sendable, Equatable {
    /// Its key.
    public let name: String
    /// The type of its numbers.
    public let type: ElementType
    /// Its dimensions, the slowest first.
    public let shape: [Int]
    /// Its bytes, counted from the end of the header.
    let range: Range<Int>

    /// The number of elements.
    public var count: Int { range.count / type.size }
  }

  /// The longest header that is read, as in the reference implementation.
  static let headerLimit: UInt64 = 100_000_000

  /// The file's path.
  public let path: String
  /// The tensors, in the order of their data.
  public let tensors: [Tensor]
  /// The free text of the header's `__metadata__`.
  public let metadata: [String: String]
  private let file: MappedFile
  private let dataStart: Int
  private let indices: [String: Int]

  /// Maps a file and checks its header.
  ///
  /// - Throws: `WeightError` for a file that cannot be read, is of another format, or is damaged.
  public init(_ url: URL) throws(WeightError) {
    let file = try MappedFile(url)
    if let format = foreignFormat(file.bytes) {
      throw .unreadableFormat(path: file.path, format: format)
    }
    do throws(SafeTensorsProblem) {
      let header = try SafeTensorsHeader(file.bytes)
      tensors = header.tensors
      metadata = header.metadata
      dataStart = header.dataStart
    } catch {
      throw .damaged(path: file.path, error)
    }
    path = file.path
    self.file = file
    indices = Dictionary(uniqueKeysWithValues: tensors.enumerated().map { ($1.name, $0) })
  }

  /// The tensor of a name; nil if there is none.
  public subscript(name: String) -> Tensor? { indices[name].map { tensors[$0] } }

  /// A tensor's numbers as float32, in the file's order; F16, BF16, F64 and integers are converted.
  ///
  /// - Throws: `WeightError.unsupportedType` for types that have no such numbers.
  public func floats(_ tensor: Tensor) throws(WeightError) -> [Float] {
    let source = bytes(tensor)
    func convert<Bits: BitwiseCopyable>(
      _: Bits.Type, _ value: (Bits) -> Float
    ) -> [Float] {
      (0..<tensor.count).map { index in
        value(source.loadUnaligned(fromByteOffset: index * tensor.type.size, as: Bits.self))
      }
    }
    switch tensor.type {
    case .float32: return convert(UInt32.self) { Float(bitPattern: UInt32(littleEndian: $0)) }
    case .float16:
      return convert(UInt16.self) { Float(Float16(bitPattern: UInt16(littleEndian: $0))) }
    case .bfloat16:
      return convert(UInt16.self) { Float(bitPattern: UInt32(UInt16(littleEndian: $0)) << 16) }
    case .float64:
      return convert(UInt64.self) { Float(Double(bitPattern: UInt64(littleEndian: $0))) }
    case .int64: return convert(Int64.self) { Float(Int64(littleEndian: $0)) }
    case .int32: return convert(Int32.self) { Float(Int32(littleEndian: $0)) }
    case .uint8: return convert(UInt8.self) { Float($0) }
    case .bool, .int8, .float8Wide, .float8Narrow, .int16, .uint16, .uint32, .uint64:
      throw .unsupportedType(path: path, tensor: tensor.name, type: tensor.type.rawValue)
    }
  }

  /// A tensor's numbers as integers; floating-point ones are cut.
  ///
  /// - Throws: `WeightError.unsupportedType` for types that have no such numbers, and for numbers that
  ///   no 64-bit integer can hold.
  public func integers(_ tensor: Tensor) throws(WeightError) -> [Int64] {
    if tensor.type == .int64 {
      let source = bytes(tensor)
      return (0..<tensor.count).map { index in
        Int64(
          littleEndian: source.loadUnaligned(fromByteOffset: index * 8, as: Int64.self))
      }
    }
    var result: [Int64] = []
    for value in try floats(tensor) {
      guard let integer = Int64(exactly: value.rounded(.towardZero)) else {
        throw .unsupportedType(path: path, tensor: tensor.name, type: tensor.type.rawValue)
      }
      result.append(integer)
    }
    return result
  }

  private func bytes(_ tensor: Tensor) -> UnsafeRawBufferPointer {
    // SAFETY: the header's check has placed every tensor's range inside the mapping.
    UnsafeRawBufferPointer(
      rebasing: file.bytes[
        (dataStart + tensor.range.lowerBound)..<(dataStart + tensor.range.upperBound)])
  }
}

/// The name of a format that weights come in and this reader does not read; nil for safetensors and
/// for anything unknown.
private func foreignFormat(_ bytes: UnsafeRawBufferPointer) -> String? {
  func starts(_ magic: [UInt8]) -> Bool { bytes.count >= magic.count && bytes.starts(with: magic) }
  if starts([0x50, 0x4B, 0x03, 0x04]) { return "a zip archive (PyTorch's .pth or NumPy's .npz)" }
  if starts([0x80, 0x02]) && !isHeaderLength(bytes) {
    return "a Python pickle (PyTorch's old .pth)"
  }
  if starts([0x89, 0x48, 0x44, 0x46]) { return "an HDF5 file (Keras's .h5)" }
  if starts([0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59]) { return "a NumPy array (.npy)" }
  return nil
}

/// Whether the ninth byte opens a header: a length of 0x280 is two bytes that also open a pickle.
private func isHeaderLength(_ bytes: UnsafeRawBufferPointer) -> Bool {
  bytes.count > 8 && bytes[8] == UInt8(ascii: "{")
}
