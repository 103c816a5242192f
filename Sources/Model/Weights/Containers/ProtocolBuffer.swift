/// Walks over the fields of a message of Google's protocol buffers.
struct ProtocolBuffer {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  private let bytes: ArraySlice<UInt8>
  private var cursor: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    cursor = bytes.startIndex
  }

  /// The next field; nil at the end.
  mutating func next() throws(ContainerProblem) -> (field: Int, value: Value)? {
    guard cursor < bytes.endIndex else { return nil }
    let key = try Self.variable(bytes, &cursor)
    let field = Int(truncatingIfNeeded: key >> 3)
    switch key & 7 {
    case 0: return (field, .number(try Self.variable(bytes, &cursor)))
    case 1: return (field, .number(try fixed(8)))
    case 2:
      let count = try Self.variable(bytes, &cursor)
      guard count <= UInt64(bytes.endIndex - cursor) else { throw damaged }
      defer { cursor += Int(count) }
      return (field, .bytes(bytes[cursor..<(cursor + Int(count))]))
    case 5: return (field, .number(try fixed(4)))
    default: throw damaged
    }
  }

  private mutating func fixed(_ size: Int) throws(ContainerProblem) -> UInt64 {
    guard size <= bytes.endIndex - cursor else { throw damaged }
    defer { cursor += size }
    return bytes[cursor..<(cursor + size)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// A number of seven bits per byte, the lowest first.
  static func variable(
    _ bytes: ArraySlice<UInt8>, _ cursor: inout Int
  ) throws(ContainerProblem) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while cursor < bytes.endIndex, shift < 64 {
      let byte = bytes[cursor]
      cursor += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    throw .malformed("a number without an end", offset: cursor)
  }

  private var damaged: ContainerProblem {
    .malformed("no field of a protocol buffer", offset: cursor)
  }
}
