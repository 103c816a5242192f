/// The signatures of all commands: what checking, help and completion need to know.
public struct Vocabulary: Sendable {
  /// What a verb may mean.
  public enum Lookup: Hashable, Sendable {
    /// The verb, or one of its aliases.
    case exact(Signature)
    /// The beginning of exactly one verb.
    case prefix(Signature)
    /// The beginning of several verbs.
    case ambiguous([String])
    /// No verb; perhaps the suggestion was meant.
    case unknown(suggestion: String?)
  }

  /// The words that begin a declaration and cannot be verbs.
  public static let reservedWords = ["version", "param", "for"]

  /// The signatures in the order of their declaration.
  public let signatures: [Signature]
  private let byName: [String: Int]

  /// A vocabulary.
  ///
  /// - Precondition: ``problems(in:)`` finds none.
  public init(_ signatures: [Signature]) {
    let problems = Self.problems(in: signatures)
    precondition(
      problems.isEmpty, "unsound command table:\n" + problems.joined(separator: "\n"))
    self.signatures = signatures
    var byName: [String: Int] = [:]
    for (index, signature) in signatures.enumerated() {
      for name in [signature.name] + signature.aliases { byName[name] = index }
    }
    self.byName = byName
  }

  /// The signature with exactly this name or alias.
  public func signature(named name: String) -> Signature? {
    byName[normalizedName(name)].map { signatures[$0] }
  }

  /// What `verb` means. A prefix of several verbs is never guessed.
  public func lookUp(_ verb: String) -> Lookup {
    if let signature = signature(named: verb) { return .exact(signature) }
    let start = normalizedName(verb)
    let matches = signatures.filter { $0.name.hasPrefix(start) }
    switch matches.count {
    case 1 where !start.isEmpty: return .prefix(matches[0])
    case 2... where !start.isEmpty: return .ambiguous(matches.map(\.name).sorted())
    default:
      let names = signatures.flatMap { [$0.name] + $0.aliases } + Self.reservedWords
      return .unknown(suggestion: Suggestion.nearest(to: verb, among: names))
    }
  }

  /// The commands that accept a key, with the key's declaration there.
  public func keys(named name: String) -> [(signature: Signature, key: Parameter)] {
    signatures.compactMap { signature in signature.key(name).map { (signature, $0) } }
  }
}

extension Vocabulary {
  /// What is wrong with the definitions themselves, one line each.
  public static func problems(in signatures: [Signature]) -> [String] {
    var problems: [String] = []
    var owners: [String: String] = [:]
    for signature in signatures {
      for name in [signature.name] + signature.aliases {
        if let owner = owners[name] {
          problems.append("'\(name)' names both '\(owner)' and '\(signature.name)'")
        }
        owners[name] = signature.name
        if reservedWords.contains(name) { problems.append("'\(name)' is a reserved word") }
        if !isName(name) { problems.append("'\(name)' cannot be typed as a verb") }
      }
      problems += self.problems(in: signature).map { "\(signature.name): \($0)" }
    }
    return problems
  }

  private static func problems(in signature: Signature) -> [String] {
    var problems: [String] = []
    if signature.summary.isEmpty { problems.append("no summary") }
    if signature.examples.count < 2 { problems.append("fewer than two examples") }
    problems += positionalProblems(signature)
    var seen: Set<String> = []
    let keyNames = signature.keys.flatMap { [$0.name] + $0.aliases }
    let names = keyNames + signature.flags.map(\.name) + signature.positionals.map(\.name)
    for name in names where !seen.insert(name).inserted {
      problems.append("'\(name)' is declared twice")
    }
    for name in keyNames + signature.flags.map(\.name) where !isName(name) {
      problems.append("'\(name)' cannot be typed as a key or flag")
    }
    for key in signature.keys {
      if let text = key.defaultText, (try? key.kind.parse(text)) == nil {
        problems.append("the default '\(text)' of '\(key.name)' is not \(key.kind.phrase)")
      }
      if key.isRequired, key.defaultText != nil {
        problems.append("'\(key.name)' is required and has a default")
      }
    }
    if signature.takesComparison, signature.allowsOutput {
      problems.append("a comparison and '> PATH' cannot be told apart")
    }
    if signature.takesComparison, signature.positionals.count < 2 {
      problems.append("a comparison needs two positionals")
    }
    let arguments = Set(signature.keys.map(\.name) + signature.positionals.map(\.name))
    for rule in signature.reads + signature.writes {
      var named = [rule.deciding].compactMap { $0 }
      if case .argument(let name, prefix: _) = rule.unconditional { named.append(name) }
      for name in named where !arguments.contains(name) {
        problems.append("a slot rule names '\(name)', which is not declared")
      }
    }
    return problems
  }

  private static func positionalProblems(_ signature: Signature) -> [String] {
    var problems: [String] = []
    var afterOptional = false
    for (index, positional) in signature.positionals.enumerated() {
      let isLast = index == signature.positionals.count - 1
      switch positional.arity {
      case .required:
        if afterOptional {
          problems.append("'\(positional.name)' is required behind an optional one")
        }
      case .optional: afterOptional = true
      case .variadic:
        if !isLast { problems.append("'\(positional.name)' is variadic but not last") }
      case .restOfLine:
        if !isLast { problems.append("'\(positional.name)' takes the rest but is not last") }
        if !signature.keys.isEmpty || !signature.flags.isEmpty {
          problems.append("'\(positional.name)' takes the rest, so there can be no keys and flags")
        }
      }
    }
    return problems
  }

  /// Whether a text can be typed as a verb, key or flag: lower-case letters, digits and `-`.
  private static func isName(_ text: String) -> Bool {
    guard let first = text.first, first.isASCII, first.isLowercase else { return false }
    return text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber || $0 == "-") }
  }
}
