/// The checker's walk over a script: declares parameters, unrolls loops, binds commands.
struct Expansion {
  let checker: Checker
  let script: Script
  let mode: Checker.Mode
  let overrides: [ParameterOverride]
  private(set) var scope: Scope
  private(set) var parameters: [ScriptParameter] = []
  private(set) var steps: [Step] = []
  private(set) var diagnostics: [Diagnostic] = []
  /// The parameters that something mentions, by normalized name.
  private(set) var mentioned: Set<String> = []
  private var variables: [Step.Variable] = []
  private var cell = 0
  private var stepCount = 0

  init(
    checker: Checker, script: Script, mode: Checker.Mode, overrides: [ParameterOverride],
    scope: Scope
  ) {
    self.checker = checker
    self.script = script
    self.mode = mode
    self.overrides = overrides
    self.scope = scope
  }

  mutating func run() {
    checkVersion()
    for item in script.items {
      switch item {
      case .cell: cell += 1
      case .comment: break
      case .statement(let statement): expand(statement)
      }
    }
    checkOverrides()
  }

  private mutating func expand(_ statement: Statement) {
    switch statement {
    case .version: break
    case .parameter(let parameter): declare(parameter)
    case .loop(let loop): unroll(loop)
    case .command(let command): bind(command)
    case .shell(let line): bindShell(line)
    }
  }

  // MARK: Version

  private mutating func checkVersion() {
    let statements = script.statements
    let versions = statements.enumerated().compactMap { index, statement in
      if case .version(_, let range) = statement { (index, range) } else { nil }
    }
    if versions.isEmpty, mode == .file, !hasBrokenVersion {
      let place = statements.first?.range.start ?? 0
      diagnostics.append(
        .missingVersion(checker.newestVersion, at: SourceRange(place, place)))
    }
    for (index, range) in versions where index > 0 {
      diagnostics.append(.misplacedVersion(isSecond: range != versions[0].1, at: range))
    }
  }

  /// Whether a version is stated in a way that the parser has already reported.
  private var hasBrokenVersion: Bool {
    script.diagnostics.contains {
      guard let range = $0.range else { return false }
      return $0.code == Diagnostic.Code.badDeclaration.rawValue
        && script.source.text(in: range).hasPrefix("version")
    }
  }

  // MARK: Parameters

  private mutating func declare(_ syntax: ParameterSyntax) {
    let (evaluated, faults) = syntax.value.evaluated(in: scope)
    diagnostics += faults
    note(syntax.value.references)
    let name = syntax.name.text
    if !variables.isEmpty {
      // The parser has said that it cannot stand here.
      scope = scope.with(name, "", from: syntax.range, isFaulty: true)
      return
    }
    let wanted = normalizedName(name)
    let override = overrides.first { normalizedName($0.name) == wanted }
    if let first = parameters.first(where: { normalizedName($0.name) == wanted }) {
      diagnostics.append(.duplicateParameter(syntax.name, first: first.range))
    }
    guard let evaluated else {
      scope = scope.with(name, "", from: syntax.range, isFaulty: true)
      return
    }
    var text = evaluated.text
    let (kind, fault) = ParameterType.kind(of: syntax, default: text)
    if let fault { diagnostics.append(fault) }
    var isFaulty = kind == nil
    if let kind {
      do throws(ValueProblem) {
        _ = try kind.parse(text)
      } catch {
        diagnostics.append(.badParameterValue(name, error, at: syntax.value.range))
        isFaulty = true
      }
      if let override {
        do throws(ValueProblem) {
          _ = try kind.parse(override.text)
        } catch {
          diagnostics.append(.badOverride(name, error, declared: syntax.range))
          isFaulty = true
        }
        text = override.text
      }
      parameters.append(
        ScriptParameter(
          name: name, kind: kind, defaultText: evaluated.text, text: text,
          isOverridden: override != nil, help: syntax.help, range: syntax.range))
    }
    scope = scope.with(name, text, from: syntax.range, isFaulty: isFaulty)
  }

  private mutating func checkOverrides() {
    var declared: [String] = []
    for case .parameter(let parameter) in script.statements { declared.append(parameter.name.text) }
    let known = Set(declared.map(normalizedName))
    var seen: Set<String> = []
    for override in overrides {
      let name = normalizedName(override.name)
      if !known.contains(name) {
        diagnostics.append(.unknownParameter(override.name, script.source.name, declared))
      } else if !seen.insert(name).inserted {
        diagnostics.append(.repeatedOverride(override.name))
      }
    }
  }

  private mutating func note(_ references: [Name]) {
    for name in references { mentioned.insert(normalizedName(name.text)) }
  }

  // MARK: Loops

  private mutating func unroll(_ loop: LoopSyntax) {
    for clause in loop.clauses {
      if let known = scope.entry(clause.name.text) {
        diagnostics.append(.duplicateVariable(clause.name, first: known.range))
        return
      }
      for value in clause.values { note(value.references) }
    }
    let outer = scope
    unroll(loop, clause: 0)
    scope = outer
  }

  private mutating func unroll(_ loop: LoopSyntax, clause index: Int) {
    guard index < loop.clauses.count else {
      for case .statement(let statement) in loop.body {
        guard stepCount <= checker.mostSteps else { return }
        expand(statement)
      }
      return
    }
    let clause = loop.clauses[index]
    let outer = scope
    for value in clause.values {
      // Empty bodies count too: a loop of loops must end.
      stepCount += 1
      guard stepCount <= checker.mostSteps else {
        diagnostics.append(.tooManyRepetitions(checker.mostSteps, at: loop.header))
        return
      }
      let (evaluated, faults) = value.evaluated(in: outer)
      diagnostics += faults
      guard let evaluated else { continue }
      scope = outer.with(clause.name.text, evaluated.text, from: value.range)
      variables.append(Step.Variable(name: clause.name.text, text: evaluated.text))
      unroll(loop, clause: index + 1)
      variables.removeLast()
    }
    scope = outer
  }

  // MARK: Commands

  private mutating func bind(_ command: CommandSyntax) {
    for argument in command.arguments {
      switch argument.kind {
      case .positional(let value), .key(_, let value), .output(let value): note(value.references)
      case .flag, .comparator: break
      }
    }
    // What the parser could not read is already reported; binding the rest would only confuse.
    let isBroken = script.diagnostics.contains { fault in
      fault.range.map { command.range.start <= $0.start && $0.start <= command.range.end } ?? false
    }
    guard !isBroken else { return }
    if command.isBareAssignment, mode != .prompt {
      let text = script.source.text(in: command.range)
      diagnostics.append(.bareAssignment(text, at: command.range))
    }
    let binder = Binder(
      vocabulary: checker.vocabulary, scope: scope, allowsPrefixes: mode == .prompt)
    let (invocation, faults) = binder.bind(command, in: script.source)
    diagnostics += faults
    guard let invocation else { return }
    if !invocation.signature.isAllowedInScripts, mode != .prompt {
      diagnostics.append(.promptOnly(invocation.name, at: command.verb.range))
    }
    add(invocation)
  }

  /// `!ls` is the shell command with the rest of the line as its text.
  private mutating func bindShell(_ line: Name) {
    if mode != .prompt, !checker.allowsShell {
      diagnostics.append(.shellCommand(at: line.range))
      return
    }
    guard let signature = checker.vocabulary.signature(named: Checker.shellVerb),
      let positional = signature.positionals.first
    else {
      diagnostics.append(.noShell(at: line.range))
      return
    }
    let text = line.text
    let canonical = CanonicalText.value(text)
    let argument = Argument(
      name: positional.name, value: .text(text), text: text, canonicalText: canonical,
      canonicalTemplate: canonical, references: [], range: line.range, fullRange: line.range)
    add(
      Invocation(
        signature: signature, positionals: [argument], keys: [], flags: [], output: nil,
        comparator: nil, range: line.range))
  }

  private mutating func add(_ invocation: Invocation) {
    stepCount += 1
    steps.append(
      Step(invocation: invocation, index: steps.count, cell: cell, variables: variables))
  }
}
