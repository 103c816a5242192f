/// Cuts a source into tokens. Every fault becomes a diagnostic and lexing goes on, so that all
/// faults of a file are found at once.
public struct Lexer {
  /// The tokens of a source, the last one `.end`, and what is wrong with them.
  public static func tokenize(_ source: Source) -> (tokens: [Token], diagnostics: [Diagnostic]) {
    var lexer = Lexer(bytes: source.bytes)
    lexer.run()
    return (lexer.tokens, lexer.diagnostics)
  }

  let bytes: [UInt8]
  var position = 0
  var tokens: [Token] = []
  var diagnostics: [Diagnostic] = []
  /// How many brackets are open.
  var listDepth = 0
  /// Whether nothing of the current line, but spaces, has been read.
  private var isAtLineStart = true
  /// Whether the next token begins a command.
  private var isAtStatementStart = true
  private var hasSpaceBefore = true

  private init(bytes: [UInt8]) {
    self.bytes = bytes
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
  }

  private mutating func run() {
    while true {
      hasSpaceBefore = skipBlanks() || isAtLineStart || isAtStatementStart
      guard position < bytes.count else { break }
      let start = position
      readToken()
      assert(position > start, "the lexer stands still")
    }
    hasSpaceBefore = true
    add(.end, from: bytes.count)
  }

  /// Skips spaces and continued line ends; whether there were any.
  private mutating func skipBlanks() -> Bool {
    let start = position
    while let byte = peek() {
      if byte.isBlank {
        position += 1
      } else if byte == Ascii.backslash, let next = continuedLine(at: position) {
        if next == bytes.count {
          report(.unfinishedContinuation(at: SourceRange(position, position + 1)))
        }
        position = next
      } else if let (scalar, length) = strangeSpace(at: position) {
        report(.strangeCharacter(scalar, at: SourceRange(position, position + length)))
        position += length
      } else {
        break
      }
    }
    return position > start
  }

  private mutating func readToken() {
    let start = position
    let beginsLine = isAtLineStart
    let beginsStatement = isAtStatementStart
    isAtLineStart = false
    isAtStatementStart = false
    switch bytes[position] {
    case Ascii.newline:
      position += 1
      isAtLineStart = true
      if listDepth == 0 {
        isAtStatementStart = true
        add(.newline, from: start)
      }
    case Ascii.hash where hasSpaceBefore:
      isAtStatementStart = beginsStatement
      readComment(mayOpenCell: beginsLine && listDepth == 0)
    case Ascii.semicolon:
      position += 1
      isAtStatementStart = true
      add(.semicolon, from: start)
    case Ascii.leftBrace:
      position += 1
      isAtStatementStart = true
      add(.leftBrace, from: start)
    case Ascii.rightBrace:
      position += 1
      isAtStatementStart = true
      add(.rightBrace, from: start)
    case Ascii.leftBracket: openList()
    case Ascii.rightBracket:
      position += 1
      listDepth = max(0, listDepth - 1)
      add(.rightBracket, from: start)
    case Ascii.comma where listDepth > 0:
      position += 1
      add(.comma, from: start)
    case Ascii.quote: readString()
    case Ascii.bang where beginsStatement:
      position = endOfLine(from: position)
      add(.shell(text(start + 1, position)), from: start)
    default:
      if readOperator() || readFlag() || readKey() { return }
      readWord()
    }
  }

  private mutating func readComment(mayOpenCell: Bool) {
    let start = position
    position = endOfLine(from: position)
    if mayOpenCell, let content = cellMarkerContent(at: start) {
      add(.cell(text(content, position)), from: start)
    } else {
      add(.comment(text(start + 1, position)), from: start)
    }
  }

  /// The offset behind `# %%` or `#%%` at `offset`.
  private func cellMarkerContent(at offset: Int) -> Int? {
    guard peek(at: offset) == Ascii.hash else { return nil }
    var next = offset + 1
    if peek(at: next) == Ascii.space { next += 1 }
    guard peek(at: next) == Ascii.percent, peek(at: next + 1) == Ascii.percent else { return nil }
    return next + 2
  }

  /// Opens a list, unless its end is missing: then the fault stays on this line.
  private mutating func openList() {
    let start = position
    position += 1
    if listDepth == 0, !listCloses(from: position) {
      report(.unclosedList(at: SourceRange(start, position)))
    } else {
      listDepth += 1
    }
    add(.leftBracket, from: start)
  }

  private func listCloses(from start: Int) -> Bool {
    var depth = 1
    var offset = start
    while offset < bytes.count {
      switch bytes[offset] {
      case Ascii.leftBracket: depth += 1
      case Ascii.rightBracket:
        depth -= 1
        if depth == 0 { return true }
      case Ascii.quote:
        guard let end = closingQuote(from: offset + 1) else { return false }
        offset = end
      case Ascii.newline where cellMarkerContent(at: offset + 1) != nil: return false
      default: break
      }
      offset += 1
    }
    return false
  }

  /// The offset of the quote that closes a string; nil if the text or the cell ends before.
  func closingQuote(from start: Int) -> Int? {
    var offset = start
    while offset < bytes.count {
      switch bytes[offset] {
      case Ascii.quote: return offset
      case Ascii.backslash: offset += 1
      case Ascii.newline where cellMarkerContent(at: offset + 1) != nil: return nil
      default: break
      }
      offset += 1
    }
    return nil
  }

  /// Reads `==`, `>` and their like, between spaces.
  private mutating func readOperator() -> Bool {
    let start = position
    guard let (text, comparator) = operatorText(at: position) else { return false }
    position += text.utf8.count
    let isSpaced = hasSpaceBefore && (peek().map { $0.isBlank || $0 == Ascii.newline } ?? true)
    guard let comparator else {
      add(.equals, from: start)
      return true
    }
    if !isSpaced { report(.operatorSpacing(text, at: SourceRange(start, position))) }
    add(.comparator(comparator), from: start)
    return true
  }

  /// The operator at an offset; `=` alone is one without a comparator.
  func operatorText(at offset: Int) -> (text: String, comparator: Comparator?)? {
    guard let first = peek(at: offset) else { return nil }
    let isPair = peek(at: offset + 1) == Ascii.equals
    switch first {
    case Ascii.equals: return isPair ? ("==", .equal) : ("=", nil)
    case Ascii.bang: return isPair ? ("!=", .notEqual) : nil
    case Ascii.greater: return isPair ? (">=", .atLeast) : (">", .greater)
    case Ascii.less: return isPair ? ("<=", .atMost) : ("<", .less)
    default: return nil
    }
  }

  /// Reads `--name` or `-n`.
  private mutating func readFlag() -> Bool {
    guard hasSpaceBefore, listDepth == 0, peek() == Ascii.minus else { return false }
    let isLong = peek(at: position + 1) == Ascii.minus
    let nameStart = position + (isLong ? 2 : 1)
    guard let first = peek(at: nameStart), first.isLetter else { return false }
    var end = nameStart + 1
    while let byte = peek(at: end), byte.isNamePart { end += 1 }
    if !isLong, end > nameStart + 1 { return false }
    if let next = peek(at: end), !next.isBlank, next != Ascii.newline, next != Ascii.semicolon,
      next != Ascii.equals, next != Ascii.rightBrace
    {
      return false
    }
    let start = position
    position = end
    add(.flag(text(nameStart, end)), from: start)
    return true
  }

  /// Reads `name=`; the token's range leaves the `=` out.
  private mutating func readKey() -> Bool {
    guard hasSpaceBefore, listDepth == 0, let first = peek(), first.isLetter else { return false }
    var end = position + 1
    while let byte = peek(at: end), byte.isNamePart || byte == Ascii.dot || byte == Ascii.colon {
      end += 1
    }
    guard peek(at: end) == Ascii.equals, peek(at: end + 1) != Ascii.equals else { return false }
    let start = position
    position = end
    add(.key(text(start, end)), from: start)
    position += 1
    return true
  }

  // MARK: Small pieces

  func peek() -> UInt8? { peek(at: position) }

  func peek(at offset: Int) -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

  func text(_ start: Int, _ end: Int) -> String {
    String(decoding: bytes[start..<end], as: UTF8.self)
  }

  /// The offset of the line break, or of the carriage return before it.
  func endOfLine(from start: Int) -> Int {
    var end = start
    while end < bytes.count, bytes[end] != Ascii.newline { end += 1 }
    if end > start, end < bytes.count, bytes[end - 1] == Ascii.carriageReturn { end -= 1 }
    return end
  }

  /// Where the next line begins if only spaces stand between the backslash and the line's end.
  func continuedLine(at offset: Int) -> Int? {
    var next = offset + 1
    while let byte = peek(at: next), byte.isBlank { next += 1 }
    guard let byte = peek(at: next) else { return next }
    return byte == Ascii.newline ? next + 1 : nil
  }

  mutating func add(_ kind: Token.Kind, from start: Int) {
    let range = SourceRange(min(start, position), position)
    tokens.append(Token(kind: kind, range: range, hasSpaceBefore: hasSpaceBefore))
  }

  mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }
}
