/// A word of the source with its place.
public struct Name: Hashable, Sendable {
  /// The word as typed.
  public let text: String
  /// Where it stands.
  public let range: SourceRange
}

/// A piece of a word or string: literal text, or `${name}`.
public enum Segment: Hashable, Sendable {
  /// Text that stands for itself, escapes already resolved.
  case literal(String)
  /// `${name}`, to be replaced by a parameter or loop variable.
  case reference(Name)
}

/// A value as written.
public struct ValueSyntax: Hashable, Sendable {
  /// How it was written.
  public enum Form: Hashable, Sendable {
    /// Without quotes: `0.1`, `top1,top5`, `s-${data}`.
    case word([Segment])
    /// In double quotes.
    case string([Segment])
    /// In brackets.
    case list([ValueSyntax])
  }

  /// How it was written.
  public let form: Form
  /// Where it stands.
  public let range: SourceRange

  /// The text of a word without references, as typed; nil for anything else.
  var plainWord: String? {
    guard case .word(let segments) = form else { return nil }
    if segments.isEmpty { return "" }
    guard segments.count == 1, case .literal(let text) = segments[0] else { return nil }
    return text
  }

  /// Every `${name}` in it.
  public var references: [Name] {
    switch form {
    case .word(let segments), .string(let segments):
      segments.compactMap { if case .reference(let name) = $0 { name } else { nil } }
    case .list(let items): items.flatMap(\.references)
    }
  }
}

/// The comparisons that `expect` takes.
public enum Comparator: String, Hashable, Sendable, CaseIterable {
  /// Equal.
  case equal = "=="
  /// Different.
  case notEqual = "!="
  /// At least.
  case atLeast = ">="
  /// At most.
  case atMost = "<="
  /// Greater.
  case greater = ">"
  /// Less.
  case less = "<"

  /// Whether `left` compares to `right` this way; `tolerance` widens `==` and narrows `!=`.
  public func holds(_ left: Double, _ right: Double, tolerance: Double = 0) -> Bool {
    switch self {
    case .equal: abs(left - right) <= tolerance
    case .notEqual: !(abs(left - right) <= tolerance)
    case .atLeast: left >= right
    case .atMost: left <= right
    case .greater: left > right
    case .less: left < right
    }
  }
}

/// One argument of a command as written.
public struct ArgumentSyntax: Hashable, Sendable {
  /// What kind of argument it is.
  public enum Kind: Hashable, Sendable {
    /// A value by itself.
    case positional(ValueSyntax)
    /// `key=value`.
    case key(Name, ValueSyntax)
    /// `--flag`.
    case flag(Name)
    /// `> PATH`, or a `>` that compares: only the signature can tell.
    case output(ValueSyntax)
    /// A comparator other than `>`.
    case comparator(Comparator)
  }

  /// What kind of argument it is.
  public let kind: Kind
  /// Where it stands.
  public let range: SourceRange
}

/// A simple command as written.
public struct CommandSyntax: Hashable, Sendable {
  /// The verb. For a bare `key=value` it is `set`, at the place of the key.
  public let verb: Name
  /// The arguments in order.
  public let arguments: [ArgumentSyntax]
  /// Whether it is a bare `key=value`, which only the prompt understands.
  public let isBareAssignment: Bool
  /// From the verb to the last argument.
  public let range: SourceRange
}

/// `param NAME[:type] = value [in range|choices] ["help"]`.
public struct ParameterSyntax: Hashable, Sendable {
  /// The name.
  public let name: Name
  /// The type, if one is written.
  public let type: Name?
  /// The default.
  public let value: ValueSyntax
  /// What follows `in`, as one text.
  public let domain: Name?
  /// The help text.
  public let help: String?
  /// The whole declaration.
  public let range: SourceRange
}

/// `for a in x y, b in 1 2 { … }`: the body once for every combination, the last name fastest.
public struct LoopSyntax: Hashable, Sendable {
  /// One name and the values it takes.
  public struct Clause: Hashable, Sendable {
    /// The name.
    public let name: Name
    /// Its values, in order.
    public let values: [ValueSyntax]
  }

  /// The names and their values.
  public let clauses: [Clause]
  /// What is repeated.
  public let body: [Item]
  /// From `for` to `{`.
  public let header: SourceRange
  /// From `for` to `}`.
  public let range: SourceRange
}

/// One statement of a script.
public indirect enum Statement: Hashable, Sendable {
  /// `version N`.
  case version(Int, SourceRange)
  /// `param …`.
  case parameter(ParameterSyntax)
  /// `for … { … }`.
  case loop(LoopSyntax)
  /// A simple command.
  case command(CommandSyntax)
  /// `!` and a line for the shell.
  case shell(Name)

  /// Where it stands.
  public var range: SourceRange {
    switch self {
    case .version(_, let range): range
    case .parameter(let parameter): parameter.range
    case .loop(let loop): loop.range
    case .command(let command): command.range
    case .shell(let line): line.range
    }
  }
}

/// A comment, or a line of text in a markdown cell.
public struct Comment: Hashable, Sendable {
  /// The text behind `#`, as typed.
  public let text: String
  /// Whether it stands behind a command on the same line.
  public let isTrailing: Bool
  /// From `#` to the end of the line.
  public let range: SourceRange
}

/// `# %% Title [markdown] id="x" tags="a,b"`: the line that opens a cell (jupytext percent format).
public struct CellMarker: Hashable, Sendable {
  /// The title; empty when there is none.
  public let title: String
  /// Whether the cell holds text, not commands.
  public let isMarkdown: Bool
  /// Its `id`.
  public let id: String?
  /// Its `tags`.
  public let tags: [String]
  /// All its `key="value"` pairs in order, `id` and `tags` among them.
  public let attributes: [Attribute]
  /// The line.
  public let range: SourceRange

  /// One `key="value"` pair.
  public struct Attribute: Hashable, Sendable {
    /// The key.
    public let key: String
    /// The value.
    public let value: String
  }
}

/// What a script consists of, in order.
public enum Item: Hashable, Sendable {
  /// A statement.
  case statement(Statement)
  /// A comment.
  case comment(Comment)
  /// The beginning of a cell.
  case cell(CellMarker)

  /// Where it stands.
  public var range: SourceRange {
    switch self {
    case .statement(let statement): statement.range
    case .comment(let comment): comment.range
    case .cell(let marker): marker.range
    }
  }
}

/// A script as written. The source keeps everything else (blank lines, spacing).
public struct Script: Sendable {
  /// The text.
  public let source: Source
  /// Statements, comments and cell markers in order.
  public let items: [Item]
  /// What the lexer and the parser found wrong; what could be read is in `items` nevertheless.
  public let diagnostics: [Diagnostic]

  /// The statements, cells and comments left out.
  public var statements: [Statement] {
    items.compactMap { if case .statement(let statement) = $0 { statement } else { nil } }
  }

  /// The version that the script states.
  public var version: (number: Int, range: SourceRange)? {
    for case .version(let number, let range) in statements { return (number, range) }
    return nil
  }
}
