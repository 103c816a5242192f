/// Reads tokens as a script. Every fault becomes a diagnostic and parsing goes on behind it, so
/// that all faults of a file are reported together.
public struct Parser {
  /// The script that a source holds; its diagnostics say what could not be read.
  public static func parse(_ source: Source) -> Script {
    let (tokens, diagnostics) = Lexer.tokenize(source)
    var parser = Parser(source: source, tokens: tokens, diagnostics: diagnostics)
    let items = parser.parseItems(blockDepth: 0)
    // Both passes report in order; together they are sorted, equal places staying in that order.
    let sorted = parser.diagnostics.enumerated().sorted {
      ($0.element.range?.start ?? 0, $0.offset) < ($1.element.range?.start ?? 0, $1.offset)
    }
    return Script(source: source, items: items, diagnostics: sorted.map(\.element))
  }

  /// Whether a text typed so far waits for more: an open `{`, `[` or `"`, or a `\` at its end.
  public static func isIncomplete(_ text: String) -> Bool {
    let open: [Diagnostic.Code] = [
      .unclosedString, .unclosedList, .unclosedBlock, .unfinishedContinuation,
    ]
    let codes = Set(open.map(\.rawValue))
    return parse(Source(name: "", text: text)).diagnostics.contains { codes.contains($0.code) }
  }

  let source: Source
  let tokens: [Token]
  var index = 0
  var diagnostics: [Diagnostic]
  /// Comments met inside a statement; they follow it in the items.
  var pendingComments: [Comment] = []

  static let deepestBlock = 16
  static let deepestList = 8

  private init(source: Source, tokens: [Token], diagnostics: [Diagnostic]) {
    self.source = source
    self.tokens = tokens
    self.diagnostics = diagnostics
  }

  /// Reads up to the end, or to the `}` that closes the block (which it leaves).
  mutating func parseItems(blockDepth: Int) -> [Item] {
    var items: [Item] = []
    while true {
      switch current.kind {
      case .end: return items
      case .newline, .semicolon: advance()
      case .comment(let text): items.append(.comment(comment(text)))
      case .cell(let text):
        if blockDepth > 0 { return items }
        items.append(.cell(cellMarker(text, range: current.range)))
        advance()
      case .rightBrace:
        if blockDepth > 0 { return items }
        report(.strayBrace("}", at: current.range))
        advance()
      default:
        let before = index
        if let statement = parseStatement(blockDepth: blockDepth) {
          items.append(.statement(statement))
        }
        items += pendingComments.map(Item.comment)
        pendingComments = []
        assert(index > before, "the parser stands still")
      }
    }
  }

  private mutating func parseStatement(blockDepth: Int) -> Statement? {
    switch current.kind {
    case .shell(let text):
      let range = current.range
      advance()
      return .shell(Name(text: text, range: range))
    case .key: return .command(parseBareAssignment())
    case .word:
      guard let word = currentWord else { break }
      switch word {
      case "version":
        if blockDepth > 0 { report(.declarationInLoop(word, at: current.range)) }
        return parseVersion()
      case "param":
        if blockDepth > 0 { report(.declarationInLoop(word, at: current.range)) }
        return parseParameter().map(Statement.parameter)
      case "for": return parseLoop(depth: blockDepth + 1).map(Statement.loop)
      default: return .command(parseCommand(verb: word))
      }
    default: break
    }
    report(.expectedCommand(text(of: current), at: current.range))
    advance()
    skipStatement()
    return nil
  }

  // MARK: Commands

  private mutating func parseBareAssignment() -> CommandSyntax {
    let verb = Name(text: "set", range: current.range)
    let arguments = parseArguments()
    let end = arguments.last?.range.end ?? verb.range.end
    return CommandSyntax(
      verb: verb, arguments: arguments, isBareAssignment: true,
      range: SourceRange(verb.range.start, end))
  }

  private mutating func parseCommand(verb: String) -> CommandSyntax {
    let name = Name(text: verb, range: current.range)
    advance()
    let arguments = parseArguments()
    let end = arguments.last?.range.end ?? name.range.end
    return CommandSyntax(
      verb: name, arguments: arguments, isBareAssignment: false,
      range: SourceRange(name.range.start, end))
  }

  private mutating func parseArguments() -> [ArgumentSyntax] {
    var arguments: [ArgumentSyntax] = []
    while !isAtStatementEnd {
      if let argument = parseArgument() { arguments.append(argument) }
    }
    return arguments
  }

  private mutating func parseArgument() -> ArgumentSyntax? {
    let token = current
    switch token.kind {
    case .word, .string, .leftBracket:
      guard let value = parseValue() else { return nil }
      if case .equals = current.kind {
        skipSpacedAssignment(key: text(of: token), from: token.range.start)
        return nil
      }
      return ArgumentSyntax(kind: .positional(value), range: value.range)
    case .key(let key):
      advance()
      return parseKey(key, range: token.range)
    case .flag(let name):
      advance()
      if case .equals = current.kind, !current.hasSpaceBefore {
        advance()
        let value = isAtValue && !current.hasSpaceBefore ? text(of: current) : nil
        let end = value == nil ? previousEnd : current.range.end
        if value != nil { _ = parseValue() }
        report(.flagWithValue(name, value: value, at: SourceRange(token.range.start, end)))
        return nil
      }
      return ArgumentSyntax(kind: .flag(Name(text: name, range: token.range)), range: token.range)
    case .comparator(.greater):
      advance()
      guard isAtValue, let value = parseValue() else {
        report(.missingOutputPath(at: token.range))
        return nil
      }
      return ArgumentSyntax(kind: .output(value), range: token.range.union(value.range))
    case .comparator(let comparator):
      advance()
      return ArgumentSyntax(kind: .comparator(comparator), range: token.range)
    case .equals:
      skipSpacedAssignment(key: nil, from: token.range.start)
      return nil
    case .leftBrace:
      report(.strayBrace("{", at: token.range))
      advance()
      return nil
    default:
      report(.unexpectedText(text(of: token), "in a command", at: token.range))
      advance()
      return nil
    }
  }

  private mutating func parseKey(_ key: String, range: SourceRange) -> ArgumentSyntax? {
    let isName = key.utf8.allSatisfy(\.isNamePart)
    if !isName { report(.badKeyName(key, at: range)) }
    guard isAtValue, !current.hasSpaceBefore else {
      let next = isAtValue ? text(of: current) : nil
      report(.missingValue(of: key, next: next, at: SourceRange(range.start, range.end + 1)))
      if isAtValue { _ = parseValue() }
      return nil
    }
    guard let value = parseValue(), isName else { return nil }
    return ArgumentSyntax(
      kind: .key(Name(text: key, range: range), value), range: range.union(value.range))
  }

  /// Skips `= value` of `key = value`, and says how it is written.
  private mutating func skipSpacedAssignment(key: String?, from start: Int) {
    var end = current.range.end
    advance()
    var value: String?
    if isAtValue {
      value = text(of: current)
      end = current.range.end
      _ = parseValue()
    }
    report(.spacedAssignment(key: key, value: value, at: SourceRange(start, end)))
  }

  // MARK: Values

  var isAtValue: Bool {
    switch current.kind {
    case .word, .string, .leftBracket: true
    default: false
    }
  }

  /// Reads a word, a string or a list.
  mutating func parseValue(depth: Int = 0) -> ValueSyntax? {
    let token = current
    switch token.kind {
    case .word(let segments):
      advance()
      return ValueSyntax(form: .word(segments), range: token.range)
    case .string(let segments):
      advance()
      return ValueSyntax(form: .string(segments), range: token.range)
    case .leftBracket: return parseList(depth: depth)
    default: return nil
    }
  }

  private mutating func parseList(depth: Int) -> ValueSyntax? {
    let open = current.range
    advance()
    if depth == Self.deepestList {
      report(.tooDeep("lists", at: open))
      skipList()
      return nil
    }
    var items: [ValueSyntax] = []
    var wantsItem = false
    while true {
      switch current.kind {
      case .comment(let text): pendingComments.append(comment(text))
      case .rightBracket:
        if wantsItem { report(.badList("an item is missing before ']'", at: current.range)) }
        let range = open.union(current.range)
        advance()
        return ValueSyntax(form: .list(items), range: range)
      case .word, .string, .leftBracket:
        if !items.isEmpty, !wantsItem {
          report(.badList("a comma is missing before '\(text(of: current))'", at: current.range))
        }
        if let item = parseValue(depth: depth + 1) { items.append(item) }
        wantsItem = false
      case .comma:
        if items.isEmpty || wantsItem {
          report(.badList("an item is missing before ','", at: current.range))
        }
        wantsItem = true
        advance()
      case .newline, .end, .cell:
        // The lexer has reported that the list is not closed.
        return ValueSyntax(form: .list(items), range: SourceRange(open.start, previousEnd))
      default:
        report(.unexpectedText(text(of: current), "in a list", at: current.range))
        advance()
      }
    }
  }

  private mutating func skipList() {
    var depth = 1
    while depth > 0, !isAt(.end), !isAt(.newline) {
      if isAt(.leftBracket) { depth += 1 }
      if isAt(.rightBracket) { depth -= 1 }
      advance()
    }
  }

  // MARK: Small pieces

  var current: Token { tokens[index] }

  /// The current token's text, if it is a word without references.
  var currentWord: String? {
    guard case .word(let segments) = current.kind, segments.count == 1,
      case .literal(let text) = segments[0]
    else { return nil }
    return text
  }

  /// The end of the token before the current one.
  var previousEnd: Int { index > 0 ? tokens[index - 1].range.end : 0 }

  func isAt(_ kind: Token.Kind) -> Bool { current.kind == kind }

  /// Whether the current command is over.
  var isAtStatementEnd: Bool {
    switch current.kind {
    case .newline, .semicolon, .end, .rightBrace, .comment, .cell: true
    default: false
    }
  }

  mutating func advance() {
    if index < tokens.count - 1 { index += 1 }
  }

  mutating func skipStatement() {
    while !isAtStatementEnd { advance() }
  }

  mutating func report(_ diagnostic: Diagnostic) { diagnostics.append(diagnostic) }

  func text(of token: Token) -> String {
    token.kind == .end ? "the end" : source.text(in: token.range)
  }

  /// The current token as a comment; moves on.
  mutating func comment(_ text: String) -> Comment {
    let range = current.range
    let lineStart = source.rangeOfLine(source.line(at: range.start)).start
    let before = source.bytes[lineStart..<range.start]
    let comment = Comment(
      text: text, isTrailing: !before.allSatisfy(\.isBlank), range: range)
    advance()
    return comment
  }
}
