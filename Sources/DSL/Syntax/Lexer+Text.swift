/// Words and strings, and the `${name}` inside them.
extension Lexer {
  /// Text in the making: finished segments and the bytes of the next literal one.
  private struct Pieces {
    var segments: [Segment] = []
    var literal: [UInt8] = []

    mutating func flush() {
      guard !literal.isEmpty else { return }
      segments.append(.literal(String(decoding: literal, as: UTF8.self)))
      literal = []
    }

    mutating func add(_ reference: Name) {
      flush()
      segments.append(.reference(reference))
    }
  }

  /// Reads text without quotes up to the next space or other token.
  mutating func readWord() {
    let start = position
    var pieces = Pieces()
    if peek() == Ascii.apostrophe || quotationMark(at: position) != nil {
      let length = quotationMark(at: position)?.length ?? 1
      report(.wrongQuotes(at: SourceRange(position, position + length)))
      pieces.literal += bytes[position..<(position + length)]
      position += length
    }
    while let byte = peek(), !endsWord(byte) {
      if byte == Ascii.dollar {
        readDollar(into: &pieces)
      } else if byte == Ascii.quote {
        report(.quoteInsideWord(at: SourceRange(position, position + 1)))
        let end = closingQuote(from: position + 1).map { $0 + 1 } ?? position + 1
        let isOnLine = end <= endOfLine(from: position)
        let next = isOnLine ? end : position + 1
        pieces.literal += bytes[position..<next]
        position = next
      } else if byte < Ascii.space || byte == 0x7F {
        report(
          .strangeCharacter(Unicode.Scalar(byte), at: SourceRange(position, position + 1)))
        position += 1
      } else {
        pieces.literal.append(byte)
        position += 1
      }
    }
    if position == start { position += 1 }
    pieces.flush()
    add(.word(pieces.segments), from: start)
  }

  private func endsWord(_ byte: UInt8) -> Bool {
    switch byte {
    case Ascii.newline, Ascii.semicolon, Ascii.leftBrace, Ascii.rightBrace, Ascii.greater,
      Ascii.less:
      true
    case Ascii.comma, Ascii.rightBracket: listDepth > 0
    case Ascii.bang: peek(at: position + 1) == Ascii.equals
    case Ascii.equals: peek(at: position + 1) == Ascii.equals
    case Ascii.backslash: continuedLine(at: position) != nil
    default: byte.isBlank || strangeSpace(at: position) != nil
    }
  }

  /// Reads text in double quotes. It may hold line breaks; if it is not closed, it ends with its
  /// line.
  mutating func readString() {
    let start = position
    let contentEnd: Int
    let end: Int
    if let quote = closingQuote(from: start + 1) {
      contentEnd = quote
      end = quote + 1
    } else {
      contentEnd = endOfLine(from: start)
      end = contentEnd
      report(.unclosedString(at: SourceRange(start, contentEnd)))
    }
    var pieces = Pieces()
    position = start + 1
    while position < contentEnd {
      switch bytes[position] {
      case Ascii.backslash where position + 1 < contentEnd: readEscape(into: &pieces)
      case Ascii.dollar: readDollar(into: &pieces)
      default:
        pieces.literal.append(bytes[position])
        position += 1
      }
    }
    position = end
    pieces.flush()
    add(.string(pieces.segments), from: start)
    if let next = peek(), !endsWord(next), next != Ascii.equals {
      report(.quoteInsideWord(at: SourceRange(end - 1, end)))
    }
  }

  /// Reads `\n`, `\"`, `\u{…}` and the like.
  private mutating func readEscape(into pieces: inout Pieces) {
    let start = position
    position += 2
    switch bytes[start + 1] {
    case Ascii.quote, Ascii.backslash, Ascii.dollar: pieces.literal.append(bytes[start + 1])
    case UInt8(ascii: "n"): pieces.literal.append(Ascii.newline)
    case UInt8(ascii: "t"): pieces.literal.append(Ascii.tab)
    case UInt8(ascii: "r"): pieces.literal.append(Ascii.carriageReturn)
    case Ascii.newline: break
    case UInt8(ascii: "u"):
      guard let (scalar, end) = scalarEscape(from: position) else { fallthrough }
      pieces.literal += Array(String(Character(scalar)).utf8)
      position = end
    default:
      // The character after the backslash may be longer than a byte.
      while let byte = peek(), byte & 0xC0 == 0x80 { position += 1 }
      let range = SourceRange(start, position)
      report(.unknownEscape(text(start, position), at: range))
    }
  }

  private func scalarEscape(from start: Int) -> (Unicode.Scalar, end: Int)? {
    guard peek(at: start) == Ascii.leftBrace else { return nil }
    var end = start + 1
    while let byte = peek(at: end), byte.isDigit || byte.isLetter { end += 1 }
    guard peek(at: end) == Ascii.rightBrace,
      let value = UInt32(text(start + 1, end), radix: 16), let scalar = Unicode.Scalar(value)
    else { return nil }
    return (scalar, end + 1)
  }

  /// Reads `${name}`, or a dollar sign that stands for itself.
  private mutating func readDollar(into pieces: inout Pieces) {
    let start = position
    guard let next = peek(at: start + 1), next == Ascii.leftBrace else {
      if let next = peek(at: start + 1), next.isLetter || next == Ascii.underscore {
        var end = start + 1
        while let byte = peek(at: end), byte.isNamePart { end += 1 }
        report(.looseDollar(text(start + 1, end), at: SourceRange(start, end)))
      }
      pieces.literal.append(Ascii.dollar)
      position += 1
      return
    }
    var end = start + 2
    while let byte = peek(at: end), byte.isNamePart { end += 1 }
    let isName = peek(at: start + 2).map { $0.isLetter || $0 == Ascii.underscore } ?? false
    if isName, peek(at: end) == Ascii.rightBrace {
      position = end + 1
      let range = SourceRange(start, position)
      pieces.add(Name(text: text(start + 2, end), range: range))
    } else {
      report(.badReference(at: SourceRange(start, end)))
      pieces.literal += bytes[start..<end]
      position = end
    }
  }

  /// A space or invisible character other than blank and tab, as pasted from web pages.
  func strangeSpace(at offset: Int) -> (Unicode.Scalar, length: Int)? {
    guard let (scalar, length) = wideScalar(at: offset) else { return nil }
    let isStrange =
      scalar.properties.isWhitespace || scalar.value == 0x200B || scalar.value == 0xFEFF
    return isStrange ? (scalar, length) : nil
  }

  /// A typographic quotation mark.
  private func quotationMark(at offset: Int) -> (Unicode.Scalar, length: Int)? {
    guard let (scalar, length) = wideScalar(at: offset) else { return nil }
    return "“”„‘’«»".unicodeScalars.contains(scalar) ? (scalar, length) : nil
  }

  /// The character at an offset, if it is longer than a byte.
  private func wideScalar(at offset: Int) -> (Unicode.Scalar, length: Int)? {
    guard let byte = peek(at: offset), byte >= 0xC0 else { return nil }
    let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2
    guard offset + length <= bytes.count,
      let scalar = text(offset, offset + length).unicodeScalars.first
    else { return nil }
    return (scalar, length)
  }
}
