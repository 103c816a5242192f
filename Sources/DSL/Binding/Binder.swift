/// Binds a command as written to a signature: finds the signature, gives every argument its name,
/// and checks every value. All faults of the command are reported together.
public struct Binder: Sendable {
  /// The commands that are known.
  public let vocabulary: Vocabulary
  /// The names that `${name}` may mention.
  public let scope: Scope
  /// Whether a unique prefix of a verb is understood, as at the prompt.
  public let allowsPrefixes: Bool

  /// A binder for the commands of `vocabulary`.
  public init(vocabulary: Vocabulary, scope: Scope = Scope(), allowsPrefixes: Bool = false) {
    self.vocabulary = vocabulary
    self.scope = scope
    self.allowsPrefixes = allowsPrefixes
  }

  /// The invocation that a command means, or nil and what is wrong with it.
  public func bind(
    _ command: CommandSyntax, in source: Source
  ) -> (invocation: Invocation?, diagnostics: [Diagnostic]) {
    let (signature, fault) = findSignature(command.verb)
    guard let signature else { return (nil, fault.map { [$0] } ?? []) }
    var binding = Binding(signature: signature, command: command, source: source, scope: scope)
    return binding.bind()
  }

  /// The first command of a line, bound; for journals and tests.
  ///
  /// - Throws: everything that is wrong with the line.
  public func bind(line: String, named name: String = "<line>") throws(ScriptError) -> Invocation {
    let source = Source(name: name, text: line)
    let script = Parser.parse(source)
    if !script.diagnostics.isEmpty { throw ScriptError(script.diagnostics, in: source) }
    for case .command(let command) in script.statements {
      let (invocation, diagnostics) = bind(command, in: source)
      guard let invocation else { throw ScriptError(diagnostics, in: source) }
      return invocation
    }
    let range = SourceRange(0, source.bytes.count)
    throw ScriptError([.expectedCommand(line, at: range)], in: source)
  }

  private func findSignature(_ verb: Name) -> (Signature?, Diagnostic?) {
    switch vocabulary.lookUp(verb.text) {
    case .exact(let signature): (signature, nil)
    case .prefix(let signature) where allowsPrefixes: (signature, nil)
    case .prefix(let signature): (nil, .abbreviatedCommand(verb, signature.name))
    case .ambiguous(let names): (nil, .ambiguousCommand(verb, names))
    case .unknown(let suggestion): (nil, .unknownCommand(verb, suggestion))
    }
  }
}

/// The work of binding one command.
private struct Binding {
  let signature: Signature
  let command: CommandSyntax
  let source: Source
  let scope: Scope
  var positionals: [Argument] = []
  var keys: [Argument] = []
  var keyPlaces: [String: SourceRange] = [:]
  var flagPlaces: [String: SourceRange] = [:]
  var output: Argument?
  var comparator: (Comparator, SourceRange)?
  var hasComparisonFault = false
  /// Whether an argument is missing here because its fault is reported elsewhere.
  var isIncomplete = false
  /// The words given by place, before they are matched to the positionals.
  var placed: [ValueSyntax] = []
  var diagnostics: [Diagnostic] = []

  mutating func bind() -> (Invocation?, [Diagnostic]) {
    if case .restOfLine? = signature.positionals.last?.arity {
      bindRestOfLine()
    } else {
      for argument in command.arguments { sort(argument) }
      // A misplaced comparator leaves the places of the values unclear.
      if !hasComparisonFault { bindPositionals() }
    }
    checkRequired()
    guard !diagnostics.containsErrors, !isIncomplete else { return (nil, diagnostics) }
    let order = Dictionary(
      uniqueKeysWithValues: signature.keys.enumerated().map { ($0.element.name, $0.offset) })
    let invocation = Invocation(
      signature: signature, positionals: positionals,
      keys: keys.sorted { (order[$0.name] ?? 0) < (order[$1.name] ?? 0) },
      flags: signature.flags.map(\.name).filter { flagPlaces[$0] != nil }, output: output,
      comparator: comparator?.0, range: command.range)
    return (invocation, diagnostics)
  }

  // MARK: Sorting the arguments

  private mutating func sort(_ argument: ArgumentSyntax) {
    switch argument.kind {
    case .positional(let value):
      if let word = value.plainWord, let flag = signature.bareFlag(word) {
        add(flag, at: value.range)
      } else {
        placed.append(value)
      }
    case .key(let name, let value): bindKey(name, value, argument.range)
    case .flag(let name):
      guard let flag = signature.flag(name.text) else {
        diagnostics.append(.unknownFlag(name, of: signature))
        return
      }
      add(flag, at: argument.range)
    case .output(let value):
      if signature.takesComparison {
        compare(.greater, at: SourceRange(argument.range.start, argument.range.start + 1))
        placed.append(value)
      } else {
        bindOutput(value, argument.range)
      }
    case .comparator(let comparator): compare(comparator, at: argument.range)
    }
  }

  private mutating func add(_ flag: Flag, at range: SourceRange) {
    if let first = flagPlaces[flag.name] {
      diagnostics.append(.duplicateFlag(flag, at: range, first: first))
    } else {
      flagPlaces[flag.name] = range
    }
  }

  private mutating func compare(_ comparator: Comparator, at range: SourceRange) {
    let count = diagnostics.count
    defer { hasComparisonFault = hasComparisonFault || diagnostics.count > count }
    if !signature.takesComparison {
      diagnostics.append(.comparisonNotTaken(comparator, signature, at: range))
    } else if self.comparator != nil {
      diagnostics.append(.badComparison("a second comparator", signature, at: range))
    } else {
      if placed.count != 1 {
        diagnostics.append(
          .badComparison("'\(comparator.rawValue)' stands in the wrong place", signature, at: range)
        )
      }
      self.comparator = (comparator, range)
    }
  }

  private mutating func bindOutput(_ value: ValueSyntax, _ range: SourceRange) {
    guard signature.allowsOutput else {
      diagnostics.append(.noOutput(signature, at: range))
      return
    }
    guard output == nil else {
      diagnostics.append(.secondOutput(at: range))
      return
    }
    let parameter = Parameter(">", .path(.output), "")
    output = argument(parameter, value, range, isPositional: false)
  }

  private mutating func bindKey(_ name: Name, _ value: ValueSyntax, _ range: SourceRange) {
    guard let key = signature.key(name.text) else {
      diagnostics.append(.unknownKey(name, of: signature))
      return
    }
    if let first = keyPlaces[key.name] {
      diagnostics.append(.duplicateKey(key, typed: name.text, at: range, first: first))
      return
    }
    keyPlaces[key.name] = range
    if let bound = argument(key, value, range, isPositional: false) { keys.append(bound) }
  }

  // MARK: Positionals

  private mutating func bindPositionals() {
    var rest = placed[...]
    for positional in signature.positionals {
      let parameter = Parameter(positional.name, positional.kind, positional.summary)
      switch positional.arity {
      case .required, .optional:
        guard let value = rest.popFirst() else {
          if positional.arity == .required {
            diagnostics.append(.missingArgument(positional, signature, at: command.range))
          }
          continue
        }
        add(parameter, value)
      case .variadic(let minimum):
        if rest.count < minimum {
          diagnostics.append(.missingArgument(positional, signature, at: command.range))
        }
        while let value = rest.popFirst() { add(parameter, value) }
      case .restOfLine: break
      }
    }
    if let value = rest.popFirst() {
      let next = rest.first.map { source.text(in: $0.range) }
      diagnostics.append(
        .unexpectedArgument(
          source.text(in: value.range), next: next, signature, at: value.range))
    }
  }

  private mutating func add(_ parameter: Parameter, _ value: ValueSyntax) {
    if let bound = argument(parameter, value, value.range, isPositional: true) {
      positionals.append(bound)
    }
  }

  /// Takes everything behind the verb as one text; one quoted string stands for its content.
  private mutating func bindRestOfLine() {
    guard let positional = signature.positionals.last else { return }
    let parameter = Parameter(positional.name, positional.kind, positional.summary)
    guard let first = command.arguments.first, let last = command.arguments.last else {
      diagnostics.append(.missingArgument(positional, signature, at: command.range))
      return
    }
    if command.arguments.count == 1, case .positional(let value) = first.kind,
      case .string = value.form
    {
      add(parameter, value)
      return
    }
    let range = first.range.union(last.range)
    let text = source.text(in: range)
    add(parameter, ValueSyntax(form: .string([.literal(text)]), range: range))
  }

  // MARK: Values

  private mutating func argument(
    _ parameter: Parameter, _ value: ValueSyntax, _ range: SourceRange, isPositional: Bool
  ) -> Argument? {
    let (evaluated, faults) = value.evaluated(in: scope)
    diagnostics += faults
    guard let evaluated else {
      isIncomplete = true
      return nil
    }
    do throws(ValueProblem) {
      let checked = try checkedValue(parameter, evaluated)
      let text = canonical(checked, evaluated, isPositional)
      return Argument(
        name: parameter.name, value: checked, text: evaluated.text, canonicalText: text,
        canonicalTemplate: evaluated.references.isEmpty ? text : template(checked, evaluated),
        references: evaluated.references.map(\.text), range: value.range, fullRange: range)
    } catch {
      diagnostics.append(
        .badValue(
          error, parameter, signature, isPositional: isPositional, isList: evaluated.isBracketed,
          at: value.range, origins: origins(of: evaluated.references)))
      return nil
    }
  }

  private func checkedValue(
    _ parameter: Parameter, _ value: EvaluatedValue
  ) throws(ValueProblem) -> Value {
    if value.isPlain, value.text == "default", parameter.defaultText != nil { return .standard }
    if parameter.kind.isList { return try parameter.kind.parse(items: value.items) }
    if value.isBracketed {
      throw ValueProblem(
        fault: .malformed, text: value.text, expected: parameter.kind.phrase, hint: nil)
    }
    return try parameter.kind.parse(value.text)
  }

  /// How a value is written again. Texts that would read as something else are quoted.
  private func canonical(_ value: Value, _ read: EvaluatedValue, _ isPositional: Bool) -> String {
    func isSpecial(_ text: String) -> Bool {
      isPositional ? signature.bareFlag(text) != nil : text == "default"
    }
    switch value {
    case .standard: return "default"
    case .boolean(let flag): return flag ? "on" : "off"
    case .keyword(let word): return CanonicalText.value(word)
    case .list:
      let items = read.items.map { [Segment.literal($0)] }
      let needsBrackets = read.items.count == 1 && isSpecial(read.items[0])
      return CanonicalText.list(items, inBrackets: needsBrackets)
    case .text(let text):
      return isSpecial(text) ? CanonicalText.quoted([.literal(text)]) : CanonicalText.value(text)
    default: return CanonicalText.value(read.text)
    }
  }

  /// How a value is written again with its `${name}` kept.
  private func template(_ value: Value, _ read: EvaluatedValue) -> String {
    guard case .list = value else {
      return CanonicalText.value(Array(read.templates.joined(separator: [.literal(",")])))
    }
    let needsBrackets = read.isBracketed && read.templates.count == 1
    return CanonicalText.list(read.templates, inBrackets: needsBrackets)
  }

  /// What the mentioned names stand for, for a message about a value made of them.
  private func origins(of references: [Name]) -> [Diagnostic.Note] {
    references.compactMap { name in
      scope.entry(name.text).map {
        Diagnostic.Note("'${\(name.text)}' is '\($0.text)'", at: $0.range)
      }
    }
  }

  private mutating func checkRequired() {
    for key in signature.keys where key.isRequired && keyPlaces[key.name] == nil {
      diagnostics.append(.missingKey(key, signature, at: command.range))
    }
    if signature.takesComparison, comparator == nil, !hasComparisonFault, placed.count > 1 {
      diagnostics.append(.badComparison("no comparator", signature, at: command.range))
    }
  }
}
