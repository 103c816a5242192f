/// The work of completing one line.
struct CompletionRequest {
  let vocabulary: Vocabulary
  let scope: Scope
  let provider: any CompletionProvider
  private let cursor: Int
  private let before: Source
  /// The tokens of the command under the cursor, up to the cursor.
  private let tokens: [Token]
  /// The keys that the command has behind the cursor.
  private let laterKeys: [String]

  init(
    line: String, cursor: Int, vocabulary: Vocabulary, scope: Scope,
    provider: any CompletionProvider
  ) {
    self.vocabulary = vocabulary
    self.scope = scope
    self.provider = provider
    let whole = Source(name: "", text: line)
    self.cursor = min(max(0, cursor), whole.bytes.count)
    let head = whole.text(in: SourceRange(0, self.cursor))
    before = Source(name: "", text: head)
    tokens = Self.lastCommand(Lexer.tokenize(before).tokens)
    let rest = whole.text(in: SourceRange(self.cursor, whole.bytes.count))
    var keys: [String] = []
    scan: for token in Lexer.tokenize(Source(name: "", text: " " + rest)).tokens {
      switch token.kind {
      case .key(let name): keys.append(name)
      case .newline, .semicolon, .end, .rightBrace: break scan
      default: break
      }
    }
    laterKeys = keys
  }

  /// The tokens behind the last end of a command.
  private static func lastCommand(_ tokens: [Token]) -> [Token] {
    let commands = tokens.dropLast().split(omittingEmptySubsequences: false) { token in
      switch token.kind {
      case .newline, .semicolon, .leftBrace, .rightBrace: true
      default: false
      }
    }
    return Array(commands.last ?? [])
  }

  mutating func answer() -> Completion {
    if let reference = openReference() { return reference }
    let last = tokens.last
    switch last?.kind {
    case .comment, .cell, .shell: return nothing()
    default: break
    }
    // The token that the cursor touches is still being typed.
    let partial = last.flatMap { isTouched($0) ? $0 : nil }
    let finished = partial == nil ? tokens : Array(tokens.dropLast())
    guard let first = finished.first else { return verbs(partial) }
    guard case .word(let segments) = first.kind, case .literal(let verb)? = segments.first else {
      if case .key = first.kind { return bareAssignment(finished, partial) }
      return nothing()
    }
    switch vocabulary.lookUp(verb) {
    case .exact(let signature), .prefix(let signature):
      return arguments(signature, Array(finished.dropFirst()), partial)
    default: return nothing()
    }
  }

  /// What the command under the cursor still takes, where a new word is to begin; nil elsewhere.
  func expectation() -> String? {
    guard let verb = tokens.first, let last = tokens.last, !isTouched(last),
      last.range.end < cursor,
      case .word(let segments) = verb.kind, case .literal(let name)? = segments.first,
      case .exact(let signature) = vocabulary.lookUp(name), !isInList(tokens)
    else { return nil }
    switch last.kind {
    case .word, .string, .flag, .rightBracket: break
    default: return nil
    }
    let given = Array(tokens.dropFirst())
    guard !given.contains(where: { $0.kind == .comparator(.greater) }) else { return nil }
    let text = signature.usage(
      of: nextPositional(signature, given), without: givenKeys(signature, given))
    return text.isEmpty ? nil : text
  }

  private func isTouched(_ token: Token) -> Bool {
    switch token.kind {
    case .string:
      // A closed string is finished; an open one goes on.
      let text = before.text(in: token.range)
      return token.range.end == cursor && (text.count == 1 || !text.hasSuffix("\""))
    case .word, .flag: return token.range.end == cursor
    default: return false
    }
  }

  // MARK: What stands under the cursor

  /// `${na` inside a word or string.
  private func openReference() -> Completion? {
    let text = before.text
    guard let start = text.lastRange(of: "${") else { return nil }
    let typed = text[start.upperBound...]
    guard typed.utf8.allSatisfy(\.isNamePart) else { return nil }
    let from = text.utf8.distance(from: text.startIndex, to: start.lowerBound)
    let names = scope.names.filter { $0.hasPrefix(typed) }
    return Completion(
      range: SourceRange(from, cursor),
      candidates: names.map {
        Completion.Candidate(
          text: "${\($0)}", summary: scope.value(of: $0) ?? "", kind: .parameter,
          isComplete: false)
      })
  }

  private func verbs(_ partial: Token?) -> Completion {
    let typed = partial.map { before.text(in: $0.range) } ?? ""
    var candidates = vocabulary.signatures.map {
      Completion.Candidate(text: $0.name, summary: $0.summary, kind: .command, isComplete: true)
    }
    // At the prompt `lr=0.1` is a command too.
    if !typed.isEmpty, let setter = vocabulary.signature(named: "set") {
      candidates += keys(of: setter, given: [])
    }
    return matching(typed, candidates, from: partial?.range.start)
  }

  private func bareAssignment(_ finished: [Token], _ partial: Token?) -> Completion {
    guard let setter = vocabulary.signature(named: "set") else { return nothing() }
    return arguments(setter, finished, partial)
  }

  private func arguments(
    _ signature: Signature, _ finished: [Token], _ partial: Token?
  ) -> Completion {
    if let last = finished.last {
      switch last.kind {
      case .key(let name)
      where partial.map({ !$0.hasSpaceBefore }) ?? (last.range.end + 1 == cursor):
        guard let key = signature.key(name) else { return nothing() }
        return values(of: key.kind, partial, default: key.defaultText)
      case .comparator(.greater) where signature.allowsOutput:
        return values(of: .path(.output), partial, default: nil)
      case .comma, .leftBracket: return listItem(signature, finished, partial)
      default: break
      }
    }
    if isInList(finished) { return listItem(signature, finished, partial) }
    if case .flag? = partial?.kind { return flags(signature, finished, partial) }
    let typed = partial.map { before.text(in: $0.range) } ?? ""
    if typed == "-" || typed == "--" { return flags(signature, finished, partial) }
    return freeArgument(signature, finished, partial, typed)
  }

  /// A positional, a bare flag, or the beginning of a key.
  private func freeArgument(
    _ signature: Signature, _ finished: [Token], _ partial: Token?, _ typed: String
  ) -> Completion {
    var candidates: [Completion.Candidate] = []
    var from = partial?.range.start
    if let positional = nextPositional(signature, finished) {
      let found = values(of: positional.kind, partial, default: nil)
      candidates += found.candidates
      from = found.range.start
    }
    let isString = if case .string? = partial?.kind { true } else { false }
    guard !isString else { return Completion(range: range(from: from), candidates: candidates) }
    // Inside `a,b` only the values complete the last item.
    if let from, let start = partial?.range.start, from != start {
      return Completion(range: range(from: from), candidates: candidates)
    }
    let words = finished.map { before.text(in: $0.range) }
    let bare = signature.flags.filter { $0.isBareWord && !words.contains($0.name) }.map {
      Completion.Candidate(text: $0.name, summary: $0.summary, kind: .flag, isComplete: true)
    }
    let more = bare + keys(of: signature, given: givenKeys(signature, finished))
    let start = partial?.range.start
    candidates += matching(typed, more, from: start).candidates
    if typed.isEmpty { candidates += flags(signature, finished, nil).candidates }
    return Completion(range: range(from: from ?? start), candidates: candidates)
  }

  private func flags(
    _ signature: Signature, _ finished: [Token], _ partial: Token?
  ) -> Completion {
    var given: Set<String> = []
    for case .flag(let name) in finished.map(\.kind) { given.insert(normalizedName(name)) }
    let candidates = signature.flags.filter { !$0.isBareWord && !given.contains($0.name) }.map {
      Completion.Candidate(text: $0.spelling, summary: $0.summary, kind: .flag, isComplete: true)
    }
    let typed = partial.map { before.text(in: $0.range) } ?? ""
    return matching(typed, candidates, from: partial?.range.start)
  }

  // MARK: Lists in brackets

  private func isInList(_ finished: [Token]) -> Bool {
    finished.reduce(0) { depth, token in
      switch token.kind {
      case .leftBracket: depth + 1
      case .rightBracket: depth - 1
      default: depth
      }
    } > 0
  }

  private func listItem(
    _ signature: Signature, _ finished: [Token], _ partial: Token?
  ) -> Completion {
    guard let open = finished.lastIndex(where: { $0.kind == .leftBracket }) else {
      return nothing()
    }
    guard open > 0, case .key(let name) = finished[open - 1].kind, let key = signature.key(name)
    else {
      let kind = nextPositional(signature, Array(finished[..<open]))?.kind
      return kind.map { values(of: $0.item, partial, default: nil) } ?? nothing()
    }
    return values(of: key.kind.item, partial, default: nil)
  }

  // MARK: What is already there

  private func givenKeys(_ signature: Signature, _ finished: [Token]) -> Set<String> {
    var given: Set<String> = []
    for case .key(let name) in finished.map(\.kind) { given.insert(name) }
    return Set((given.union(laterKeys)).map { signature.key($0)?.name ?? $0 })
  }

  /// The positional that the next value by place belongs to.
  private func nextPositional(_ signature: Signature, _ finished: [Token]) -> Positional? {
    var count = 0
    var depth = 0
    for (index, token) in finished.enumerated() {
      let isValue = index > 0 && !token.hasSpaceBefore && isKey(finished[index - 1])
      switch token.kind {
      case .leftBracket:
        if depth == 0, !isValue { count += 1 }
        depth += 1
      case .rightBracket: depth -= 1
      case .word, .string:
        let isFlag = signature.bareFlag(before.text(in: token.range)) != nil
        if depth == 0, !isValue, !isFlag { count += 1 }
      default: break
      }
    }
    if count < signature.positionals.count { return signature.positionals[count] }
    if case .variadic? = signature.positionals.last?.arity { return signature.positionals.last }
    return nil
  }

  private func isKey(_ token: Token) -> Bool {
    if case .key = token.kind { true } else { false }
  }

  // MARK: Candidates

  private func keys(of signature: Signature, given: Set<String>) -> [Completion.Candidate] {
    signature.keys.filter { !given.contains($0.name) }.map { key in
      let standard = key.defaultText.map { ", default \($0)" } ?? ""
      return Completion.Candidate(
        text: "\(key.name)=", summary: "\(key.summary) (\(key.kind.shortName)\(standard))",
        kind: .key, isComplete: false)
    }
  }

  /// The values of a kind that begin with what is typed.
  private func values(
    of kind: ValueKind, _ partial: Token?, default standard: String?
  ) -> Completion {
    var typed = ""
    var start = cursor
    var isQuoted = false
    if let partial {
      start = partial.range.start
      typed = before.text(in: partial.range)
      if case .string(let segments) = partial.kind {
        isQuoted = true
        typed = segments.joined(Scope())
      }
    }
    var chosen: Set<String> = []
    var item = kind
    if kind.isList, !isQuoted {
      item = kind.item
      let parts = typed.split(separator: ",", omittingEmptySubsequences: false)
      if let last = parts.last {
        chosen = Set(parts.dropLast().map(String.init))
        start = cursor - last.utf8.count
        typed = String(last)
      }
    }
    var candidates: [Completion.Candidate] = []
    for value in words(of: item, typed) where !chosen.contains(value.text) {
      let isPath = value.kind == .path
      guard isPath || value.text.hasPrefix(typed) else { continue }
      let needsQuotes = isQuoted || CanonicalText.value(value.text) != value.text
      let quoted = CanonicalText.quoted([.literal(value.text)])
      // A directory goes on: its closing quote stays away.
      let text =
        needsQuotes ? (value.isComplete ? quoted : String(quoted.dropLast())) : value.text
      candidates.append(
        Completion.Candidate(
          text: text, summary: value.summary, kind: value.kind, isComplete: value.isComplete))
    }
    if let standard, chosen.isEmpty, !isQuoted {
      let known = candidates.map(\.text)
      let extra = [(standard, "the default"), ("default", "back to the default")]
      for (text, summary) in extra
      where !text.isEmpty && text.hasPrefix(typed) && !known.contains(text) {
        candidates.append(
          Completion.Candidate(
            text: CanonicalText.value(text), summary: summary, kind: .value, isComplete: true))
      }
    }
    return Completion(range: SourceRange(start, cursor), candidates: candidates)
  }

  private func words(of kind: ValueKind, _ typed: String) -> [Completion.Candidate] {
    func value(_ text: String, _ summary: String = "") -> Completion.Candidate {
      Completion.Candidate(text: text, summary: summary, kind: .value, isComplete: true)
    }
    switch kind {
    case .boolean: return [value("on"), value("off")]
    case .choice(let words): return words.map { value($0) }
    case .either(let special, or: let inner):
      return special.map { value($0) } + words(of: inner, typed)
    case .list(let inner, _): return words(of: inner, typed)
    case .named("command"):
      return vocabulary.signatures.map { value($0.name, $0.summary) }
    case .named("key"):
      var seen: Set<String> = []
      return vocabulary.signatures.flatMap(\.keys).filter { seen.insert($0.name).inserted }
        .map { value($0.name, $0.summary) }
    case .named("help"):
      return words(of: .named("command"), typed) + words(of: .named("key"), typed)
        + provider.names(in: "help").map { value($0.text, $0.summary) }
    case .named(let domain):
      return provider.names(in: domain).map { value($0.text, $0.summary) }
    case .path(let role):
      return provider.paths(startingWith: typed, role: role).map {
        Completion.Candidate(
          text: $0, summary: "", kind: .path, isComplete: !$0.hasSuffix("/"))
      }
    default: return []
    }
  }

  private func matching(
    _ typed: String, _ candidates: [Completion.Candidate], from start: Int?
  ) -> Completion {
    let wanted = normalizedName(typed)
    return Completion(
      range: range(from: start), candidates: candidates.filter { $0.text.hasPrefix(wanted) })
  }

  private func range(from start: Int?) -> SourceRange { SourceRange(start ?? cursor, cursor) }

  private func nothing() -> Completion {
    Completion(range: SourceRange(cursor, cursor), candidates: [])
  }
}

extension ValueKind {
  /// The kind of a list's items; any other kind itself.
  fileprivate var item: ValueKind {
    switch self {
    case .list(let kind, _): kind
    case .either(let words, or: let kind) where kind.isList: .either(words, or: kind.item)
    default: self
    }
  }
}

extension String {
  /// The last place where `text` stands.
  fileprivate func lastRange(of text: String) -> Range<Index>? {
    ranges(of: text).last
  }
}
