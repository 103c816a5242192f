/// `version`, `param`, `for` and cell markers.
extension Parser {
  mutating func parseVersion() -> Statement? {
    let start = current.range.start
    advance()
    guard case .word = current.kind, let value = parseValue(),
      let number = value.plainWord.flatMap({ Int($0) }), number > 0, isAtStatementEnd
    else {
      skipStatement()
      report(.badVersion(at: SourceRange(start, previousEnd)))
      return nil
    }
    return .version(number, SourceRange(start, value.range.end))
  }

  mutating func parseParameter() -> ParameterSyntax? {
    let start = current.range.start
    advance()
    guard let (name, type) = parseParameterName() else {
      let place = isAtStatementEnd ? SourceRange(start, previousEnd) : current.range
      report(.badParameterDeclaration("'param' needs a name and a default", at: place))
      skipStatement()
      return nil
    }
    guard isAtValue, let value = parseValue() else {
      report(.badParameterDeclaration("parameter '\(name.text)' needs a default", at: name.range))
      skipStatement()
      return nil
    }
    var domain: Name?
    if currentWord == "in" {
      let keyword = current.range
      advance()
      domain = parseDomain()
      if domain == nil {
        report(.badParameterDeclaration("a range or choices must follow 'in'", at: keyword))
      }
    }
    var help: String?
    if case .string(let segments) = current.kind {
      help = segments.map { if case .literal(let text) = $0 { text } else { "" } }.joined()
      advance()
    }
    let range = SourceRange(start, previousEnd)
    if !isAtStatementEnd {
      report(
        .badParameterDeclaration("unexpected '\(text(of: current))'", at: current.range))
      skipStatement()
    }
    return ParameterSyntax(
      name: name, type: type, value: value, domain: domain, help: help, range: range)
  }

  /// Reads `NAME =`, `NAME=`, `NAME:type =` and `NAME:type=`.
  private mutating func parseParameterName() -> (Name, type: Name?)? {
    let token = current
    let text: String
    switch token.kind {
    case .key(let key):
      text = key
      advance()
    case .word:
      guard let word = currentWord else { return nil }
      text = word
      advance()
      guard case .equals = current.kind else { return nil }
      advance()
    default: return nil
    }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count <= 2, let first = parts[0].utf8.first, first.isLetter,
      parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(\.isNamePart) })
    else {
      report(.badParameterDeclaration("'\(text)' cannot name a parameter", at: token.range))
      return (Name(text: text, range: token.range), nil)
    }
    let nameEnd = token.range.start + parts[0].utf8.count
    let name = Name(text: String(parts[0]), range: SourceRange(token.range.start, nameEnd))
    guard parts.count == 2 else { return (name, nil) }
    let typeRange = SourceRange(nameEnd + 1, nameEnd + 1 + parts[1].utf8.count)
    return (name, Name(text: String(parts[1]), range: typeRange))
  }

  /// Reads what follows `in`: `1..`, `a|b`, also with spaces around the bars.
  private mutating func parseDomain() -> Name? {
    let start = current.range.start
    var words: [String] = []
    while case .word = current.kind {
      words.append(text(of: current))
      advance()
    }
    guard !words.isEmpty else { return nil }
    return Name(text: words.joined(), range: SourceRange(start, previousEnd))
  }

  // MARK: Loops

  mutating func parseLoop(depth: Int) -> LoopSyntax? {
    let start = current.range.start
    advance()
    let clauses = parseClauses(start: start)
    let header = SourceRange(start, previousEnd)
    guard isAt(.leftBrace) else {
      if clauses != nil {
        report(.badLoop("'{' must follow the values", at: SourceRange(start, previousEnd)))
      }
      skipStatement()
      return nil
    }
    let opening = current.range
    advance()
    if depth > Self.deepestBlock {
      report(.tooDeep("blocks", at: header))
      skipBlock()
      return nil
    }
    let body = parseItems(blockDepth: depth)
    let end: Int
    if isAt(.rightBrace) {
      end = current.range.end
      advance()
    } else {
      var cell: SourceRange?
      if case .cell = current.kind { cell = current.range }
      report(.unclosedBlock(at: opening, cell: cell))
      end = previousEnd
    }
    if !isAtStatementEnd {
      report(
        .unexpectedText(
          text(of: current), "behind a block", hint: "put it on a line of its own",
          at: current.range))
      skipStatement()
    }
    guard let clauses else { return nil }
    return LoopSyntax(
      clauses: clauses, body: body, header: header.union(opening), range: SourceRange(start, end))
  }

  /// Reads `a in x y, b in 1 2`; nil, and the current token is `{` or ends the statement, when
  /// that fails.
  private mutating func parseClauses(start: Int) -> [LoopSyntax.Clause]? {
    var clauses: [LoopSyntax.Clause] = []
    while true {
      guard let text = currentWord, text.utf8.allSatisfy(\.isNamePart),
        text.utf8.first?.isLetter == true
      else { return failLoop("'for' needs a name", start: start) }
      let name = Name(text: text, range: current.range)
      advance()
      guard currentWord == "in" else {
        return failLoop("'in' must follow '\(text)'", start: start)
      }
      advance()
      var values: [ValueSyntax] = []
      var hasComma = false
      while !hasComma, isAtValue, let value = parseValue() {
        let (stripped, comma) = strippingComma(value)
        if let stripped { values.append(stripped) }
        hasComma = comma
      }
      guard !values.isEmpty else {
        return failLoop("'\(text)' needs at least one value", start: start)
      }
      clauses.append(LoopSyntax.Clause(name: name, values: values))
      if hasComma { continue }
      guard isAt(.leftBrace) || isAtStatementEnd else {
        return failLoop("unexpected '\(self.text(of: current))'", start: start)
      }
      return clauses
    }
  }

  private mutating func failLoop(_ message: String, start: Int) -> [LoopSyntax.Clause]? {
    let isOver = isAtStatementEnd || isAt(.leftBrace)
    report(.badLoop(message, at: isOver ? SourceRange(start, previousEnd) : current.range))
    while !isAtStatementEnd, !isAt(.leftBrace) { advance() }
    return nil
  }

  /// A value without the comma at its end, which separates two clauses.
  private func strippingComma(_ value: ValueSyntax) -> (ValueSyntax?, comma: Bool) {
    guard case .word(var segments) = value.form, case .literal(let last)? = segments.last,
      last.hasSuffix(",")
    else { return (value, false) }
    segments.removeLast()
    if last.count > 1 { segments.append(.literal(String(last.dropLast()))) }
    guard !segments.isEmpty else { return (nil, true) }
    let range = SourceRange(value.range.start, value.range.end - 1)
    return (ValueSyntax(form: .word(segments), range: range), true)
  }

  private mutating func skipBlock() {
    var depth = 1
    while depth > 0, !isAt(.end) {
      if isAt(.leftBrace) { depth += 1 }
      if isAt(.rightBrace) { depth -= 1 }
      advance()
    }
  }
}
