/// Checks a whole script before anything runs: verbs, keys, types, ranges, parameters, version, and
/// the rules that the program adds. All faults are reported together.
public struct Checker: Sendable {
  /// Where a text comes from, which decides what it may hold.
  public enum Mode: Hashable, Sendable {
    /// A script file: it states its version, and uses full verbs.
    case file
    /// `-c` or standard input: like a file, but the version may be missing.
    case inline
    /// A line typed at the prompt: beginnings of verbs, bare `key=value`, every command.
    case prompt
  }

  /// The commands that are known.
  public var vocabulary: Vocabulary
  /// The newest version of the language that this program understands.
  public var newestVersion: Int
  /// What the program calls its own release, for the advice about scripts of newer versions.
  public var release: String?
  /// Whether `!` is allowed outside the prompt.
  public var allowsShell: Bool
  /// The most commands that a script may unroll to.
  public var mostSteps = 10_000
  /// The program's own rules.
  public var rules: [CheckRule]

  /// The name of the command that `!` stands for; it takes the rest of the line.
  public static let shellVerb = "shell"

  /// A checker for the commands of `vocabulary`.
  public init(
    vocabulary: Vocabulary, newestVersion: Int = 1, allowsShell: Bool = false,
    rules: [CheckRule] = []
  ) {
    self.vocabulary = vocabulary
    self.newestVersion = newestVersion
    self.allowsShell = allowsShell
    self.rules = rules
  }

  /// Checks a text.
  ///
  /// - Parameters:
  ///   - overrides: values for declared parameters (`-p name=value`).
  ///   - scope: the names known before, for the prompt.
  public func check(
    _ source: Source, as mode: Mode, overrides: [ParameterOverride] = [], scope: Scope = Scope()
  ) -> CheckedScript {
    check(Parser.parse(source), as: mode, overrides: overrides, scope: scope)
  }

  /// Checks a script that was parsed before.
  public func check(
    _ script: Script, as mode: Mode, overrides: [ParameterOverride] = [], scope: Scope = Scope()
  ) -> CheckedScript {
    if let version = script.version, version.number > newestVersion {
      // What a newer version means cannot be judged, so nothing else is said.
      let refusal = Diagnostic.newerVersion(
        version.number, newest: newestVersion, program: release, at: version.range)
      return CheckedScript(
        script: script, parameters: [], steps: [], diagnostics: [refusal], scope: scope)
    }
    var expansion = Expansion(
      checker: self, script: script, mode: mode, overrides: overrides, scope: scope.withoutPlaces)
    expansion.run()
    var checked = CheckedScript(
      script: script, parameters: expansion.parameters, steps: expansion.steps,
      diagnostics: [], scope: expansion.scope)
    var found = script.diagnostics + expansion.diagnostics
    // Where something is wrong, a parameter may only seem unused.
    if mode != .prompt, !found.containsErrors {
      found += ParameterUse.diagnostics(of: checked, expansion.mentioned)
    }
    for rule in rules { found += rule.check(checked) }
    checked = CheckedScript(
      script: script, parameters: checked.parameters, steps: checked.steps,
      diagnostics: Self.sorted(found), scope: checked.scope)
    return checked
  }

  /// In the order of the text, each once: a loop repeats what is wrong inside it.
  private static func sorted(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
    struct Identity: Hashable {
      let code: String
      let range: SourceRange?
      let message: String
    }
    var seen: Set<Identity> = []
    let unique = diagnostics.filter {
      seen.insert(Identity(code: $0.code, range: $0.range, message: $0.message)).inserted
    }
    return unique.enumerated().sorted {
      ($0.element.range?.start ?? -1, $0.offset) < ($1.element.range?.start ?? -1, $1.offset)
    }.map(\.element)
  }
}

/// A value given from outside for a parameter of the script.
public struct ParameterOverride: Hashable, Sendable {
  /// The parameter's name.
  public let name: String
  /// The value.
  public let text: String

  /// `name=text`.
  public init(_ name: String, _ text: String) {
    self.name = name
    self.text = text
  }

  /// Reads `name=value`; nil when there is no `=` or no name.
  public init?(parsing argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
      return nil
    }
    self.init(String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
  }
}
