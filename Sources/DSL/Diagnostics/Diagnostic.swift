/// One thing to tell the author of a command: what is wrong, where, and what to do.
///
/// Messages are one line, in lower case, without a final full stop; they quote what was typed.
public struct Diagnostic: Hashable, Sendable {
  /// How grave a diagnostic is.
  public enum Severity: String, Hashable, Sendable {
    /// Nothing runs.
    case error
    /// The script runs, but probably does not do what its author meant.
    case warning
    /// Background.
    case note
  }

  /// A further remark, possibly about another place.
  public struct Note: Hashable, Sendable {
    /// The remark, in the style of ``Diagnostic/message``.
    public var message: String
    /// The place it is about, in the same source.
    public var range: SourceRange?

    /// A remark, about a place if one is given.
    public init(_ message: String, at range: SourceRange? = nil) {
      self.message = message
      self.range = range
    }
  }

  /// How grave it is.
  public var severity: Severity
  /// A short stable name such as `unknown-key`, for tests, tools and searching.
  public var code: String
  /// What is wrong.
  public var message: String
  /// Where it is wrong; nil when it lies outside the text (an option of the command line).
  public var range: SourceRange?
  /// Further remarks.
  public var notes: [Note]
  /// What to do about it, shown behind the carets.
  public var hint: String?

  /// A diagnostic; `severity` is an error unless said otherwise.
  public init(
    _ severity: Severity = .error, code: String, message: String, at range: SourceRange? = nil,
    hint: String? = nil, notes: [Note] = []
  ) {
    self.severity = severity
    self.code = code
    self.message = message
    self.range = range
    self.notes = notes
    self.hint = hint
  }
}

/// The error that carries diagnostics, and the source that their ranges count in.
public struct ScriptError: Error, Sendable, CustomStringConvertible {
  /// The text that the ranges belong to; nil when no diagnostic has a range.
  public let source: Source?
  /// What is wrong; never empty.
  public let diagnostics: [Diagnostic]
  /// The process's exit code: 4 when nothing ran, 3 or the command's own when one failed.
  public let exitCode: Int32

  /// Diagnostics about `source`. `exitCode` is 4, "check failed, nothing ran", unless said otherwise.
  public init(_ diagnostics: [Diagnostic], in source: Source?, exitCode: Int32 = 4) {
    self.diagnostics = diagnostics
    self.source = source
    self.exitCode = exitCode
  }

  /// All diagnostics in plain text, as the renderer shows them without colour.
  public var description: String {
    Renderer().render(diagnostics, in: source)
  }
}

extension [Diagnostic] {
  /// Whether any of them is an error.
  public var containsErrors: Bool { contains { $0.severity == .error } }
}
