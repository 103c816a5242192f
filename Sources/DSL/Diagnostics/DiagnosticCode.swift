extension Diagnostic {
  /// The codes of this module's own diagnostics. A program adds its own for its own rules.
  public enum Code: String, Hashable, Sendable, CaseIterable {
    // Text
    case unclosedString = "unclosed-string"
    case unclosedList = "unclosed-list"
    case unfinishedContinuation = "unfinished-continuation"
    case unknownEscape = "unknown-escape"
    case badReference = "bad-reference"
    case looseDollar = "loose-dollar"
    case wrongQuotes = "wrong-quotes"
    case quoteInsideWord = "quote-inside-word"
    case strangeCharacter = "strange-character"
    case operatorSpacing = "operator-spacing"
    // Syntax
    case expectedCommand = "expected-command"
    case unexpectedText = "unexpected-text"
    case unclosedBlock = "unclosed-block"
    case strayBrace = "stray-brace"
    case missingValue = "missing-value"
    case spacedAssignment = "spaced-assignment"
    case badKeyName = "bad-key-name"
    case flagWithValue = "flag-with-value"
    case missingOutputPath = "missing-output-path"
    case badList = "bad-list"
    case badDeclaration = "bad-declaration"
    case badLoop = "bad-loop"
    case declarationInLoop = "declaration-in-loop"
    case tooDeep = "too-deep"
    // Commands and arguments
    case unknownCommand = "unknown-command"
    case ambiguousCommand = "ambiguous-command"
    case abbreviatedCommand = "abbreviated-command"
    case promptOnly = "prompt-only"
    case bareAssignment = "bare-assignment"
    case shellCommand = "shell-command"
    case unknownKey = "unknown-key"
    case unknownFlag = "unknown-flag"
    case duplicateKey = "duplicate-key"
    case duplicateFlag = "duplicate-flag"
    case missingArgument = "missing-argument"
    case unexpectedArgument = "unexpected-argument"
    case badValue = "bad-value"
    case valueOutOfRange = "value-out-of-range"
    case noOutput = "no-output"
    case badComparison = "bad-comparison"
    case unknownReference = "unknown-reference"
    // Scripts
    case missingVersion = "missing-version"
    case misplacedVersion = "misplaced-version"
    case newerVersion = "newer-version"
    case duplicateParameter = "duplicate-parameter"
    case badParameter = "bad-parameter"
    case unknownParameter = "unknown-parameter"
    case unusedParameter = "unused-parameter"
    case overwrittenParameter = "overwritten-parameter"
    case tooManyRepetitions = "too-many-repetitions"
    case commandFailed = "command-failed"
  }

  /// A diagnostic of this module.
  init(
    _ code: Code, _ message: String, severity: Severity = .error, at range: SourceRange?,
    hint: String? = nil, notes: [Note] = []
  ) {
    self.init(severity, code: code.rawValue, message: message, at: range, hint: hint, notes: notes)
  }
}
