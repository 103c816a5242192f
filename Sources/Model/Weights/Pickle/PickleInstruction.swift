/// The instructions of Python's pickle protocols 0 to 5 (`pickle.py`), except STOP.
enum PickleInstruction: UInt8 {
  // Protocol 0 and 1.
  case mark = 0x28  // (
  case pop = 0x30  // 0
  case popMark = 0x31  // 1
  case dup = 0x32  // 2
  case float = 0x46  // F
  case int = 0x49  // I
  case binInt = 0x4A  // J
  case binInt1 = 0x4B  // K
  case long = 0x4C  // L
  case binInt2 = 0x4D  // M
  case none = 0x4E  // N
  case persistentID = 0x50  // P
  case binPersistentID = 0x51  // Q
  case reduce = 0x52  // R
  case string = 0x53  // S
  case binString = 0x54  // T
  case shortBinString = 0x55  // U
  case unicode = 0x56  // V
  case binUnicode = 0x58  // X
  case append = 0x61  // a
  case build = 0x62  // b
  case global = 0x63  // c
  case dict = 0x64  // d
  case appends = 0x65  // e
  case get = 0x67  // g
  case binGet = 0x68  // h
  case inst = 0x69  // i
  case longBinGet = 0x6A  // j
  case list = 0x6C  // l
  case object = 0x6F  // o
  case put = 0x70  // p
  case binPut = 0x71  // q
  case longBinPut = 0x72  // r
  case setItem = 0x73  // s
  case tuple = 0x74  // t
  case setItems = 0x75  // u
  case emptyList = 0x5D  // ]
  case emptyTuple = 0x29  // )
  case emptyDict = 0x7D  // }
  case binFloat = 0x47  // G
  // Protocol 2.
  case proto = 0x80
  case newObject = 0x81
  case extension1 = 0x82
  case extension2 = 0x83
  case extension4 = 0x84
  case tuple1 = 0x85
  case tuple2 = 0x86
  case tuple3 = 0x87
  case newTrue = 0x88
  case newFalse = 0x89
  case long1 = 0x8A
  case long4 = 0x8B
  // Protocol 3.
  case binBytes = 0x42  // B
  case shortBinBytes = 0x43  // C
  // Protocol 4.
  case shortBinUnicode = 0x8C
  case binUnicode8 = 0x8D
  case binBytes8 = 0x8E
  case emptySet = 0x8F
  case addItems = 0x90
  case frozenSet = 0x91
  case newObjectEx = 0x92
  case stackGlobal = 0x93
  case memoize = 0x94
  case frame = 0x95
  // Protocol 5.
  case byteArray8 = 0x96
  case nextBuffer = 0x97
  case readOnlyBuffer = 0x98
}

/// The two ways in which protocol 0 writes strings.
enum PickleText {
  /// A Python 2 string literal, as `repr` writes it; nil when it is none.
  static func unquoted(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard line.count >= 2, let quote = line.first, quote == line.last,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { return nil }
    let body = line.dropFirst().dropLast()
    guard body.contains(UInt8(ascii: "\\")) else { return body }
    var result: [UInt8] = []
    result.reserveCapacity(body.count)
    var rest = body
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "\\") {
        result.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "x"):
        guard let value = hexadecimal(&rest, digits: 2) else { return nil }
        result.append(UInt8(value))
      case .some(let other) where other == quote || "\\'\"".utf8.contains(other):
        result.append(other)
      default: return nil
      }
    }
    return result[...]
  }

  /// Python's raw-unicode-escape (Latin-1 and \uXXXX, \UXXXXXXXX) as UTF-8; nil when it is
  /// damaged.
  static func unescaped(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    if line.allSatisfy({ $0 < 0x80 && $0 != UInt8(ascii: "\\") }) { return line }
    var result: [UInt8] = []
    result.reserveCapacity(2 * line.count)
    var rest = line
    while let byte = rest.popFirst() {
      var value = UInt32(byte)
      if byte == UInt8(ascii: "\\"), let kind = rest.first, "uU".utf8.contains(kind) {
        rest.removeFirst()
        guard let code = hexadecimal(&rest, digits: kind == UInt8(ascii: "u") ? 4 : 8) else {
          return nil
        }
        value = code
      }
      guard let scalar = Unicode.Scalar(value) else { return nil }
      result.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    }
    return result[...]
  }

  private static func hexadecimal(_ rest: inout ArraySlice<UInt8>, digits: Int) -> UInt32? {
    let text = rest.prefix(digits)
    guard text.count == digits, text.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else {
      return nil
    }
    rest = rest.dropFirst(digits)
    return UInt32(String(decoding: text, as: UTF8.self), radix: 16)
  }
}
