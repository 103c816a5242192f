extension SafeTensors {
  /// Reads the JSON of a header: exactly the form that the format allows, so that nesting, numbers
  /// and names have limits.
  struct HeaderParser {
    private let bytes: [UInt8]
    private var cursor = 0
    private var names: Set<String> = []

    private(set) var tensors: [Tensor] = []
    private(set) var metadata: [String: String] = [:]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads everything.
    mutating func parse() throws(Problem) {
      guard String(validating: bytes, as: UTF8.self) != nil else { throw .notText }
      try members { (parser, name) throws(Problem) in
        guard parser.names.insert(name).inserted else { throw .duplicateName(name) }
        if name == "__metadata__" {
          try parser.readMetadata()
        } else {
          parser.tensors.append(try parser.tensor(name))
        }
      }
      skipSpace()
      guard cursor == bytes.count else { throw syntax("nothing more") }
    }

    private mutating func readMetadata() throws(Problem) {
      try members { (parser, name) throws(Problem) in
        guard parser.metadata[name] == nil else { throw .duplicateName(name) }
        parser.metadata[name] = try parser.string()
      }
    }

    private mutating func tensor(_ name: String) throws(Problem) -> Tensor {
      var typeName: String?
      var shape: [Int]?
      var offsets: [Int]?
      try members { (parser, field) throws(Problem) in
        switch field {
        case "dtype" where typeName == nil: typeName = try parser.string()
        case "shape" where shape == nil: shape = try parser.integers()
        case "data_offsets" where offsets == nil: offsets = try parser.integers()
        case "dtype", "shape", "data_offsets": throw .duplicateName("\(name).\(field)")
        default: throw parser.syntax("'dtype', 'shape' or 'data_offsets'")
        }
      }
      guard let typeName, let shape, let offsets, offsets.count == 2 else {
        throw .incomplete(name)
      }
      guard let type = ElementType(rawValue: typeName) else {
        throw .unknownType(typeName, tensor: name)
      }
      guard shape.count <= rankLimit else {
        throw .tooManyDimensions(shape.count, tensor: name)
      }
      var size = type.byteCount
      for dimension in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: dimension)
        guard !overflow else { throw .tooLarge(tensor: name) }
        size = product
      }
      guard offsets[0] <= offsets[1] else { throw .reversedOffsets(tensor: name) }
      guard offsets[1] - offsets[0] == size else {
        throw .wrongExtent(tensor: name, expected: size, found: offsets[1] - offsets[0])
      }
      // The file's size is counted from before the header.
      guard offsets[1] <= Int.max - headerLimit - 8 else { throw .tooLarge(tensor: name) }
      return Tensor(name: name, type: type, shape: shape, range: offsets[0]..<offsets[1])
    }

    // MARK: JSON

    /// Reads an object; the closure reads the value of each name.
    private mutating func members(
      _ value: (inout HeaderParser, String) throws(Problem) -> Void
    ) throws(Problem) {
      try expect("{")
      if accept("}") { return }
      repeat {
        let name = try string()
        try expect(":")
        try value(&self, name)
      } while accept(",")
      try expect("}")
    }

    private mutating func integers() throws(Problem) -> [Int] {
      try expect("[")
      var values: [Int] = []
      if accept("]") { return values }
      repeat { values.append(try integer()) } while accept(",")
      try expect("]")
      return values
    }

    /// A whole number that is not negative, without leading zeros, fraction and exponent.
    private mutating func integer() throws(Problem) -> Int {
      skipSpace()
      let start = cursor
      var value = 0
      while let digit = current, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
        let (tens, first) = value.multipliedReportingOverflow(by: 10)
        let (sum, second) = tens.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
        guard !first, !second else { throw .numberTooLarge(byte: start) }
        value = sum
        cursor += 1
      }
      let hasLeadingZero = cursor - start > 1 && bytes[start] == UInt8(ascii: "0")
      guard cursor > start, !hasLeadingZero else {
        cursor = start
        throw syntax("a whole number")
      }
      return value
    }

    private mutating func string() throws(Problem) -> String {
      try expect("\"")
      var text: [UInt8] = []
      while let byte = current {
        cursor += 1
        switch byte {
        case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
        case UInt8(ascii: "\\"): text.append(contentsOf: try escape())
        case 0..<0x20:
          cursor -= 1
          throw syntax("no control character in a text")
        default: text.append(byte)
        }
      }
      throw syntax("'\"'")
    }

    /// What stands after a backslash, as UTF-8.
    private mutating func escape() throws(Problem) -> [UInt8] {
      let byte = current
      cursor += 1
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte ?? 0]
      case UInt8(ascii: "b"): return [0x08]
      case UInt8(ascii: "f"): return [0x0C]
      case UInt8(ascii: "n"): return [0x0A]
      case UInt8(ascii: "r"): return [0x0D]
      case UInt8(ascii: "t"): return [0x09]
      case UInt8(ascii: "u"):
        var units = [try codeUnit()]
        if UTF16.isLeadSurrogate(units[0]), current == UInt8(ascii: "\\") {
          cursor += 1
          guard current == UInt8(ascii: "u") else { throw syntax("the second half of a character") }
          cursor += 1
          units.append(try codeUnit())
        }
        guard let text = String(validating: units, as: UTF16.self) else {
          throw syntax("a whole character")
        }
        return Array(text.utf8)
      default:
        cursor -= 1
        throw syntax("one of \"\\/bfnrtu after a backslash")
      }
    }

    /// Four hexadecimal digits.
    private mutating func codeUnit() throws(Problem) -> UInt16 {
      let end = cursor + 4
      guard end <= bytes.count, bytes[cursor..<end].allSatisfy({ Character(.init($0)).isHexDigit }),
        let unit = UInt16(String(decoding: bytes[cursor..<end], as: UTF8.self), radix: 16)
      else { throw syntax("four hexadecimal digits") }
      cursor = end
      return unit
    }

    private var current: UInt8? { cursor < bytes.count ? bytes[cursor] : nil }

    private mutating func skipSpace() {
      while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
        cursor += 1
      }
    }

    private mutating func accept(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard current == UInt8(ascii: character) else { return false }
      cursor += 1
      return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Problem) {
      guard accept(character) else { throw syntax("'\(character)'") }
    }

    private func syntax(_ expected: String) -> Problem { .syntax(byte: cursor, expected: expected) }
  }
}
