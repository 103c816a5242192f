/// A `key=value` that a command accepts.
public struct Parameter: Hashable, Sendable {
  /// The key, in lower case with `-`: `batch-size`.
  public let name: String
  /// Other spellings, expanded whenever the command is written out: `bs`.
  public let aliases: [String]
  /// What values it takes.
  public let kind: ValueKind
  /// One line about it.
  public let summary: String
  /// The value it has when nobody gives one, as text; nil when there is none. A key with a
  /// default also accepts the word `default`.
  public let defaultText: String?
  /// Whether the command cannot do without.
  public let isRequired: Bool
  /// The heading that help lists it under.
  public let group: String?
  /// More about it, in whole sentences; paragraphs are separated by an empty line.
  public let discussion: String
  /// When it has an effect, in words: `only with sched=step`; nil for always.
  public let activeWhen: String?

  /// A key that a command accepts.
  public init(
    _ name: String, aliases: [String] = [], _ kind: ValueKind, _ summary: String,
    default defaultText: String? = nil, required: Bool = false, group: String? = nil,
    discussion: String = "", activeWhen: String? = nil
  ) {
    self.name = name
    self.aliases = aliases
    self.kind = kind
    self.summary = summary
    self.defaultText = defaultText
    isRequired = required
    self.group = group
    self.discussion = discussion
    self.activeWhen = activeWhen
  }
}

/// A value that a command takes by its place: `load NAME`.
public struct Positional: Hashable, Sendable {
  /// How many values belong to it.
  public enum Arity: Hashable, Sendable {
    /// Exactly one.
    case required
    /// One or none.
    case optional
    /// At least so many; only the last positional may be variadic.
    case variadic(minimum: Int)
    /// Everything up to the end of the command as one text, exactly as written: `note TEXT`.
    case restOfLine
  }

  /// The name under which the command asks for it, and in capitals the help's placeholder.
  public let name: String
  /// What values it takes.
  public let kind: ValueKind
  /// One line about it.
  public let summary: String
  /// How many values belong to it.
  public let arity: Arity

  /// A value that a command takes by its place; required unless said otherwise.
  public init(_ name: String, _ kind: ValueKind, _ summary: String, _ arity: Arity = .required) {
    self.name = name
    self.kind = kind
    self.summary = summary
    self.arity = arity
  }

  /// How it stands in a command's usage: `MODEL`, `[RUN]`.
  var placeholder: String {
    let name = name.uppercased()
    return switch arity {
    case .required: name
    case .optional: "[\(name)]"
    case .variadic(let minimum): minimum > 0 ? "\(name) …" : "[\(name) …]"
    case .restOfLine: "\(name)…"
    }
  }
}

/// A switch: present or absent.
public struct Flag: Hashable, Sendable {
  /// The name, without dashes.
  public let name: String
  /// The letter of its short form `-n`, which is understood but never written.
  public let short: Character?
  /// Whether it is written as a plain word (`load NAME pretrained`) rather than `--name`.
  /// Both spellings are understood; this one is written.
  public let isBareWord: Bool
  /// One line about it.
  public let summary: String

  /// A switch written `--name`, or as a bare word.
  public init(
    _ name: String, _ summary: String, isBareWord: Bool = false, short: Character? = nil
  ) {
    self.name = name
    self.short = short
    self.summary = summary
    self.isBareWord = isBareWord
  }

  /// The way it is written in a command.
  public var spelling: String { isBareWord ? name : "--\(name)" }
}

/// A command line that can be run as it stands, and what it does.
public struct Example: Hashable, Sendable {
  /// The command, or several separated by `;`.
  public let text: String
  /// What it does, in one line.
  public let explanation: String

  /// A runnable command line and what it does.
  public init(_ text: String, _ explanation: String) {
    self.text = text
    self.explanation = explanation
  }
}
