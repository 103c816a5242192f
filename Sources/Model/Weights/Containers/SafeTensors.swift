/// The safetensors format: eight bytes with the length of a header, the header in JSON, the numbers.
///
/// The header names every tensor with its element type, its dimensions (row major, the last one
/// contiguous) and its place among the numbers; all numbers are little-endian.
/// See <https://github.com/huggingface/safetensors#format>.
public enum SafeTensors {
  /// The longest header that a file may have, in bytes: the limit of the format's own library.
  public static let headerLimit = 100_000_000
  /// The most dimensions that a tensor may have.
  public static let rankLimit = 64

  /// One tensor of a file.
  public struct Tensor: Sendable, Equatable {
    /// The name; unique in the file.
    public let name: String
    /// How the elements are stored.
    public let type: ElementType
    /// The dimensions, the last one contiguous; none for a single number.
    public let shape: [Int]
    /// Where its bytes lie, counted from the end of the header.
    public let range: Range<Int>

    /// The number of elements.
    public var count: Int { range.count / type.byteCount }
  }

  /// What can be wrong with the contents of a file.
  public enum Problem: Error, Sendable, Equatable {
    /// It does not begin as the format wants it.
    case notSafeTensors
    /// The file ends before its contents do.
    case truncated(needed: Int, present: Int)
    case headerTooLarge(UInt64)
    /// The header is no UTF-8.
    case notText
    /// The header is not the JSON that the format wants, at this byte of the header.
    case syntax(byte: Int, expected: String)
    /// A number in the header has no place in 63 bits.
    case numberTooLarge(byte: Int)
    /// Two tensors, or two fields of one, have the same name.
    case duplicateName(String)
    /// A tensor lacks its type, its dimensions or its two offsets.
    case incomplete(String)
    case unknownType(String, tensor: String)
    case tooManyDimensions(Int, tensor: String)
    /// The dimensions multiply to more bytes than can be addressed.
    case tooLarge(tensor: String)
    /// The end stands before the beginning.
    case reversedOffsets(tensor: String)
    /// The place has not as many bytes as the dimensions ask for.
    case wrongExtent(tensor: String, expected: Int, found: Int)
    case overlap(String, String)
    /// Bytes that belong to no tensor.
    case gap(before: String, bytes: Int)
    case trailingBytes(Int)
  }

  /// The header of a file, checked.
  struct Header: Sendable {
    /// The tensors by their place.
    let tensors: [Tensor]
    /// Free text by name.
    let metadata: [String: String]
    /// Where the numbers begin in the file.
    let dataStart: Int

    /// The size of the whole file in bytes.
    var fileSize: Int { dataStart + (tensors.last?.range.upperBound ?? 0) }

    /// Reads and checks the header of a file; the numbers need not be there.
    init(_ file: UnsafeRawBufferPointer) throws(Problem) {
      guard file.count >= 8 else { throw .truncated(needed: 8, present: file.count) }
      let length = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
      if file.count > 8, file[8] != UInt8(ascii: "{") { throw .notSafeTensors }
      guard length <= headerLimit else { throw .headerTooLarge(length) }
      dataStart = 8 + Int(length)
      guard dataStart <= file.count else {
        throw .truncated(needed: dataStart, present: file.count)
      }
      var parser = HeaderParser(Array(file[8..<dataStart]))
      try parser.parse()
      metadata = parser.metadata
      tensors = try Self.inOrder(parser.tensors)
    }

    /// The tensors sorted by place, when they cover the numbers without holes and overlaps.
    private static func inOrder(_ tensors: [Tensor]) throws(Problem) -> [Tensor] {
      let sorted = tensors.sorted {
        ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
      }
      var end = 0
      var last = ""
      for tensor in sorted {
        if tensor.range.lowerBound < end { throw .overlap(last, tensor.name) }
        if tensor.range.lowerBound > end {
          throw .gap(before: tensor.name, bytes: tensor.range.lowerBound - end)
        }
        end = tensor.range.upperBound
        last = tensor.name
      }
      return sorted
    }

    /// Checks that a file of this size holds all numbers and nothing else.
    func check(size: Int) throws(Problem) {
      if size < fileSize { throw .truncated(needed: fileSize, present: size) }
      if size > fileSize { throw .trailingBytes(size - fileSize) }
    }
  }
}
