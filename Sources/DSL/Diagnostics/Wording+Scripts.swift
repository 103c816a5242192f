/// The sentences about whole scripts, all in one place.
extension Diagnostic {
  // MARK: Version

  static func missingVersion(_ newest: Int, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .missingVersion, "the script does not state its version", at: range,
      hint: "add 'version \(newest)' as its first line")
  }

  static func misplacedVersion(isSecond: Bool, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .misplacedVersion, isSecond ? "a second 'version'" : "'version' is not the first statement",
      at: range, hint: isSecond ? nil : "move it to the top")
  }

  static func newerVersion(
    _ version: Int, newest: Int, program: String?, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .newerVersion,
      "the script is written in version \(version), this program understands up to \(newest)",
      at: range,
      hint: "install a newer release" + (program.map { " than \($0)" } ?? ""))
  }

  // MARK: Parameters

  static func duplicateParameter(_ name: Name, first: SourceRange) -> Diagnostic {
    Diagnostic(
      .duplicateParameter, "parameter '\(name.text)' is declared twice", at: name.range,
      notes: [Note("first declared here", at: first)])
  }

  static func duplicateVariable(_ name: Name, first: SourceRange?) -> Diagnostic {
    Diagnostic(
      .duplicateParameter, "'\(name.text)' already has a value", at: name.range,
      hint: "choose another name", notes: first.map { [Note("it gets it here", at: $0)] } ?? [])
  }

  static func badDomain(_ domain: Name) -> Diagnostic {
    Diagnostic(
      .badParameter, "'\(domain.text)' is neither a range nor choices", at: domain.range,
      hint: "as in '1..', '0..1' or 'a|b'")
  }

  static func domainMismatch(_ syntax: ParameterSyntax, _ type: String) -> Diagnostic {
    let message =
      syntax.domain.map { "'in \($0.text)' does not fit the type '\(type)'" }
      ?? "the type 'choice' needs its choices"
    return Diagnostic(
      .badParameter, message, at: syntax.domain?.range ?? syntax.type?.range ?? syntax.name.range,
      hint: "int and float take 'in 1..10', str and choice take 'in a|b'")
  }

  static func unknownType(_ type: Name?) -> Diagnostic {
    let names = ParameterType.names
    let advice = type.flatMap { Suggestion.didYouMean($0.text, among: names) }
    return Diagnostic(
      .badParameter, "unknown type '\(type?.text ?? "")'", at: type?.range,
      hint: advice ?? "a type is one of \(names.joined(separator: ", "))")
  }

  static func badParameterValue(_ name: String, _ problem: ValueProblem, at range: SourceRange)
    -> Diagnostic
  {
    Diagnostic(
      .badParameter, "parameter '\(name)' takes \(problem.expected), not '\(problem.text)'",
      at: range, hint: problem.hint)
  }

  static func badOverride(_ name: String, _ problem: ValueProblem, declared: SourceRange)
    -> Diagnostic
  {
    Diagnostic(
      .badParameter,
      "-p \(name)=\(problem.text): the parameter takes \(problem.expected), not '\(problem.text)'",
      at: nil, hint: problem.hint, notes: [Note("declared here", at: declared)])
  }

  static func unknownParameter(_ name: String, _ script: String, _ declared: [String])
    -> Diagnostic
  {
    let advice: String
    if let found = Suggestion.nearest(to: name, among: declared) {
      advice = "did you mean '\(found)'?"
    } else if declared.isEmpty {
      advice = "it declares none; add a line such as 'param \(name) = value'"
    } else {
      advice = "it declares \(declared.joined(separator: ", "))"
    }
    return Diagnostic(
      .unknownParameter, "-p \(name): \(script) declares no such parameter", at: nil,
      hint: advice)
  }

  static func repeatedOverride(_ name: String) -> Diagnostic {
    Diagnostic(.unknownParameter, "-p \(name) is given twice", at: nil)
  }

  static func unusedParameter(_ parameter: ScriptParameter) -> Diagnostic {
    Diagnostic(
      .unusedParameter, "parameter '\(parameter.name)' is never read", severity: .warning,
      at: parameter.range, hint: "mention it as '${\(parameter.name)}'")
  }

  static func overwrittenParameter(
    _ name: String, key: String, at range: SourceRange, first: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .overwrittenParameter,
      "this replaces the value of parameter '\(name)' before anything reads it",
      severity: .warning, at: range, hint: "write '\(key)=${\(name)}', or leave one of them out",
      notes: [Note("'\(key)' gets the parameter here", at: first)])
  }

  // MARK: Loops and runs

  static func tooManyRepetitions(_ most: Int, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .tooManyRepetitions, "the script has more than \(most) steps", at: range,
      hint: "use fewer values")
  }

  static func commandFailed(
    _ message: String, hint: String?, notes: [String], at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .commandFailed, message, at: range, hint: hint, notes: notes.map { Note($0) })
  }
}
