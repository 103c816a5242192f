/// A strict reader of JSON text (RFC 8259) that refuses what lenient ones pass over: duplicate
/// names, text behind the end, deep nesting.
struct HeaderJSON {
  /// A value; objects keep their order.
  indirect enum Node {
    case object([(name: String, value: Node)])
    case array([Node])
    case string(String)
    case number(String)
    case boolean(Bool)
    case null
  }

  private let text: [UInt8]
  private var position = 0

  /// Reads a whole text.
  static func parse(_ bytes: UnsafeRawBufferPointer) throws(SafeTensorsProblem) -> Node {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalidText }
    var reader = HeaderJSON(text: Array(text.utf8))
    let node = try reader.value(depth: 0)
    reader.skipSpace()
    guard reader.position == reader.text.count else { throw reader.failure("the end") }
    return node
  }

  private init(text: [UInt8]) { self.text = text }

  private func failure(_ expected: String) -> SafeTensorsProblem {
    .invalidJSON(offset: position, expected: expected)
  }

  private var next: UInt8? { position < text.count ? text[position] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      position += 1
    }
  }

  private mutating func take(_ character: Character) -> Bool {
    guard let byte = next, byte == character.asciiValue else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(SafeTensorsProblem) -> Node {
    guard depth < 8 else { throw failure("less nesting") }
    skipSpace()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"):
      try word("true")
      return .boolean(true)
    case UInt8(ascii: "f"):
      try word("false")
      return .boolean(false)
    case UInt8(ascii: "n"):
      try word("null")
      return .null
    default: return .number(try number())
    }
  }

  private mutating func object(depth: Int) throws(SafeTensorsProblem) -> Node {
    position += 1
    var members: [(name: String, value: Node)] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes") }
      let name = try string()
      guard names.insert(name).inserted else { throw .duplicateName(name) }
      skipSpace()
      guard take(":") else { throw failure("':'") }
      members.append((name, try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw failure("',' or '}'") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(SafeTensorsProblem) -> Node {
    position += 1
    var items: [Node] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      items.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("',' or ']'") }
    return .array(items)
  }

  private mutating func word(_ expected: String) throws(SafeTensorsProblem) {
    for byte in expected.utf8 {
      guard next == byte else { throw failure("'\(expected)'") }
      position += 1
    }
  }

  /// A number's text: sign, digits, fraction, exponent.
  private mutating func number() throws(SafeTensorsProblem) -> String {
    let start = position
    func isDigit(_ byte: UInt8?) -> Bool { byte.map { (0x30...0x39).contains($0) } ?? false }
    _ = take("-")
    guard isDigit(next) else { throw failure("a value") }
    if take("0") {
      if isDigit(next) { throw failure("no digit after a leading zero") }
    }
    while isDigit(next) { position += 1 }
    if take(".") {
      guard isDigit(next) else { throw failure("a digit") }
      while isDigit(next) { position += 1 }
    }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      guard isDigit(next) else { throw failure("a digit") }
      while isDigit(next) { position += 1 }
    }
    return String(decoding: text[start..<position], as: UTF8.self)
  }

  private mutating func string() throws(SafeTensorsProblem) -> String {
    position += 1
    var bytes: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"):
        position += 1
        bytes += try escape()
      case 0..<0x20:
        throw failure("no control character")
      default:
        bytes.append(byte)
        position += 1
      }
    }
    throw failure("'\"'")
  }

  private mutating func escape() throws(SafeTensorsProblem) -> [UInt8] {
    guard let byte = next else { throw failure("an escaped character") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
    case UInt8(ascii: "b"): return [0x08]
    case UInt8(ascii: "f"): return [0x0C]
    case UInt8(ascii: "n"): return [0x0A]
    case UInt8(ascii: "r"): return [0x0D]
    case UInt8(ascii: "t"): return [0x09]
    case UInt8(ascii: "u"):
      let first = try hexadecimal()
      var code = UInt32(first)
      if (0xD800..<0xDC00).contains(first) {
        guard take("\\"), take("u") else { throw failure("the second half of a character") }
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second) else {
          throw failure("the second half of a character")
        }
        code = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw failure("a character") }
      return Array(String(scalar).utf8)
    default:
      position -= 1
      throw failure("an escaped character")
    }
  }

  private mutating func hexadecimal() throws(SafeTensorsProblem) -> UInt16 {
    guard position + 4 <= text.count,
      text[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
      let value = UInt16(String(decoding: text[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw failure("four hexadecimal digits") }
    position += 4
    return value
  }
}
