/// The sentences about commands and their arguments, all in one place.
extension Diagnostic {
  // MARK: Verbs

  static func unknownCommand(_ verb: Name, _ suggestion: String?) -> Diagnostic {
    Diagnostic(
      .unknownCommand, "unknown command '\(verb.text)'", at: verb.range,
      hint: suggestion.map { "did you mean '\($0)'?" } ?? "see 'help'")
  }

  static func ambiguousCommand(_ verb: Name, _ names: [String]) -> Diagnostic {
    Diagnostic(
      .ambiguousCommand, "'\(verb.text)' may mean several commands", at: verb.range,
      hint: names.joined(separator: ", "))
  }

  static func abbreviatedCommand(_ verb: Name, _ name: String) -> Diagnostic {
    Diagnostic(
      .abbreviatedCommand, "'\(verb.text)' is abbreviated", at: verb.range,
      hint: "write '\(name)'; only the prompt understands beginnings")
  }

  static func promptOnly(_ name: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(.promptOnly, "'\(name)' works at the prompt only", at: range)
  }

  static func bareAssignment(_ text: String, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .bareAssignment, "an assignment without a command", at: range,
      hint: "write 'set \(text)'; only the prompt understands it without 'set'")
  }

  static func shellCommand(at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .shellCommand, "shell commands are not allowed here", at: range,
      hint: "permit them with --allow-shell")
  }

  static func noShell(at range: SourceRange) -> Diagnostic {
    Diagnostic(.shellCommand, "there is no command for '!'", at: range)
  }

  // MARK: Keys and flags

  static func unknownKey(_ name: Name, of signature: Signature) -> Diagnostic {
    let suffix = signature.keyNoun == "key" ? " for '\(signature.name)'" : ""
    return Diagnostic(
      .unknownKey, "unknown \(signature.keyNoun) '\(name.text)'\(suffix)", at: name.range,
      hint: keyAdvice(name.text, signature))
  }

  private static func keyAdvice(_ name: String, _ signature: Signature) -> String {
    if let hint = signature.keyHints[normalizedName(name)] { return hint }
    let names = signature.keys.flatMap { [$0.name] + $0.aliases }
    if let found = Suggestion.nearest(to: name, among: names), let key = signature.key(found) {
      let standard = key.defaultText.map { ", default \($0)" } ?? ""
      return "did you mean '\(found)' (\(key.kind.shortName)\(standard))?"
    }
    if let flag = signature.flag(name) { return "it is a flag: write '\(flag.spelling)'" }
    if let positional = signature.positionals.first(where: { $0.name == normalizedName(name) }) {
      return "it has its place: \(signature.name) \(positional.name.uppercased())"
    }
    if signature.keys.isEmpty { return "'\(signature.name)' takes no keys" }
    if signature.keys.count <= 6 {
      return "it takes \(signature.keys.map(\.name).joined(separator: ", "))"
    }
    return "see 'help \(signature.name)'"
  }

  static func unknownFlag(_ name: Name, of signature: Signature) -> Diagnostic {
    let flags = signature.flags.map(\.name)
    let advice: String
    if let key = signature.key(name.text) {
      advice = "it is a key: write '\(key.name)=\(key.defaultText ?? "value")'"
    } else if let found = Suggestion.nearest(to: name.text, among: flags),
      let flag = signature.flag(found)
    {
      advice = "did you mean '\(flag.spelling)'?"
    } else if flags.isEmpty {
      advice = "'\(signature.name)' takes no flags"
    } else {
      advice = "it takes \(signature.flags.map(\.spelling).joined(separator: ", "))"
    }
    return Diagnostic(
      .unknownFlag, "unknown flag '--\(name.text)' for '\(signature.name)'", at: name.range,
      hint: advice)
  }

  static func duplicateKey(
    _ key: Parameter, typed: String, at range: SourceRange, first: SourceRange
  ) -> Diagnostic {
    let alias = normalizedName(typed) == key.name ? "" : " ('\(typed)' is '\(key.name)')"
    return Diagnostic(
      .duplicateKey, "'\(key.name)' is given twice\(alias)", at: range,
      notes: [Note("first given here", at: first)])
  }

  static func duplicateFlag(_ flag: Flag, at range: SourceRange, first: SourceRange)
    -> Diagnostic
  {
    Diagnostic(
      .duplicateFlag, "'\(flag.spelling)' is given twice", at: range,
      notes: [Note("first given here", at: first)])
  }

  // MARK: Arguments

  static func missingArgument(
    _ positional: Positional, _ signature: Signature, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .missingArgument,
      "'\(signature.name)' needs \(positional.name.uppercased()), \(positional.kind.phrase)",
      at: range, hint: "usage: \(signature.usage)")
  }

  static func missingKey(_ key: Parameter, _ signature: Signature, at range: SourceRange)
    -> Diagnostic
  {
    Diagnostic(
      .missingArgument, "'\(signature.name)' needs '\(key.name)=', \(key.kind.phrase)", at: range,
      hint: "usage: \(signature.usage)")
  }

  static func unexpectedArgument(
    _ text: String, next: String?, _ signature: Signature, at range: SourceRange
  ) -> Diagnostic {
    let advice: String
    let bareFlags = signature.flags.filter(\.isBareWord).map(\.name)
    if let key = signature.key(text) {
      advice = "write '\(key.name)=\(next ?? "value")'"
    } else if let flag = signature.flag(text) {
      advice = "write '\(flag.spelling)'"
    } else if let found = Suggestion.nearest(to: text, among: bareFlags) {
      advice = "did you mean '\(found)'?"
    } else {
      advice = "usage: \(signature.usage)"
    }
    return Diagnostic(
      .unexpectedArgument, "unexpected '\(text)' for '\(signature.name)'", at: range, hint: advice)
  }

  static func badValue(
    _ problem: ValueProblem, _ parameter: Parameter, _ signature: Signature, isPositional: Bool,
    isList: Bool, at range: SourceRange, origins: [Note]
  ) -> Diagnostic {
    let name = isPositional ? parameter.name.uppercased() : "'\(parameter.name)'"
    let given = isList ? "the list '[\(problem.text)]'" : "'\(problem.text)'"
    return Diagnostic(
      problem.fault == .outOfRange ? .valueOutOfRange : .badValue,
      "\(name) takes \(problem.expected), not \(given)", at: range, hint: problem.hint,
      notes: origins)
  }

  static func noOutput(_ signature: Signature, at range: SourceRange) -> Diagnostic {
    Diagnostic(
      .noOutput, "'\(signature.name)' writes no file with '>'", at: range,
      hint: "usage: \(signature.usage)")
  }

  static func secondOutput(at range: SourceRange) -> Diagnostic {
    Diagnostic(.noOutput, "a second '>'", at: range, hint: "a command writes one file")
  }

  static func comparisonNotTaken(
    _ comparator: Comparator, _ signature: Signature, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .badComparison, "'\(signature.name)' compares nothing", at: range,
      hint: "quote '\(comparator.rawValue)' if it belongs to a text")
  }

  static func badComparison(_ message: String, _ signature: Signature, at range: SourceRange)
    -> Diagnostic
  {
    Diagnostic(.badComparison, message, at: range, hint: "usage: \(signature.usage)")
  }

  static func unknownReference(_ name: Name, known: [String]) -> Diagnostic {
    let advice: String
    if let found = Suggestion.nearest(to: name.text, among: known) {
      advice = "did you mean '${\(found)}'?"
    } else {
      advice = "declare it first: param \(name.text) = value"
    }
    return Diagnostic(
      .unknownReference, "no parameter '\(name.text)'", at: name.range, hint: advice)
  }
}
