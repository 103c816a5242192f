/// A command as data: parsing, checking, help, completion and the tests of the examples all come
/// from this one declaration.
public struct Signature: Hashable, Sendable {
  /// What kind of trace a command leaves, which decides what a saved session keeps.
  public enum Effect: String, Hashable, Sendable, Codable {
    /// Shows something and changes nothing. With `> PATH` it writes a file and is kept.
    case look
    /// Changes the state or makes something: `set`, `load`, `train`.
    case change
    /// Asserts something about the state: `expect`, `require`. Always kept.
    case check
    /// Text of the session itself: `note`, `cell`. Always kept.
    case annotation
    /// Concerns the session, not the work: `save`, `undo`, `history`.
    case session
    /// Concerns the process: `quit`, `!ls`.
    case process
  }

  /// The verb.
  public let name: String
  /// Other verbs for the same command.
  public let aliases: [String]
  /// The heading that the overview of the help lists it under.
  public let group: String
  /// One line about it.
  public let summary: String
  /// More about it, in whole sentences; paragraphs are separated by an empty line.
  public let discussion: String
  /// The values taken by their place.
  public let positionals: [Positional]
  /// The `key=value` pairs it accepts, in the order in which they are written out.
  public let keys: [Parameter]
  /// What the messages call its keys: `key`, `hyperparameter`.
  public let keyNoun: String
  /// Keys that people know from elsewhere, with what to write instead; names have dashes.
  public let keyHints: [String: String]
  /// The switches.
  public let flags: [Flag]
  /// Whether `> PATH` may follow.
  public let allowsOutput: Bool
  /// Whether exactly one comparator (`==`, `>=` …) stands behind the first positional.
  public let takesComparison: Bool
  /// Whether every `key=value` is an assignment of its own, so that `set a=1 b=2` may be split and
  /// joined with others.
  public let mergesKeys: Bool
  /// Whether it only puts slots back to their defaults, so that it is idle where nothing has set
  /// them: `unset`.
  public let restoresDefaults: Bool
  /// What kind of trace it leaves.
  public let effect: Effect
  /// The slots it reads.
  public let reads: [SlotRule]
  /// The slots it writes.
  public let writes: [SlotRule]
  /// Whether it may occur in a script; if not, only at the prompt.
  public let isAllowedInScripts: Bool
  /// Commands that can be run as they stand; at least two.
  public let examples: [Example]

  /// A command as data.
  public init(
    _ name: String, aliases: [String] = [], group: String, _ summary: String,
    discussion: String = "", positionals: [Positional] = [], keys: [Parameter] = [],
    keyNoun: String = "key", keyHints: [String: String] = [:], flags: [Flag] = [],
    allowsOutput: Bool = false,
    takesComparison: Bool = false, mergesKeys: Bool = false, restoresDefaults: Bool = false,
    effect: Effect,
    reads: [SlotRule] = [], writes: [SlotRule] = [], allowedInScripts: Bool = true,
    examples: [Example]
  ) {
    self.name = name
    self.aliases = aliases
    self.group = group
    self.summary = summary
    self.discussion = discussion
    self.positionals = positionals
    self.keys = keys
    self.keyNoun = keyNoun
    self.keyHints = keyHints
    self.flags = flags
    self.allowsOutput = allowsOutput
    self.takesComparison = takesComparison
    self.mergesKeys = mergesKeys
    self.restoresDefaults = restoresDefaults
    self.effect = effect
    self.reads = reads
    self.writes = writes
    isAllowedInScripts = allowedInScripts
    self.examples = examples
  }

  /// The key of that name or alias; `_` and `-` are the same.
  public func key(_ name: String) -> Parameter? {
    let wanted = normalizedName(name)
    return keys.first { $0.name == wanted || $0.aliases.contains(wanted) }
  }

  /// The flag of that name or short form; `_` and `-` are the same.
  public func flag(_ name: String) -> Flag? {
    let wanted = normalizedName(name)
    return flags.first { $0.name == wanted || $0.short.map(String.init) == wanted }
  }

  /// The flag that a plain word means, if it means one.
  func bareFlag(_ word: String) -> Flag? {
    let wanted = normalizedName(word)
    return flags.first { $0.isBareWord && $0.name == wanted }
  }

  /// What stands behind the positionals and the keys that are given: `[name= stop-at= …]`.
  func usage(of next: Positional?, without given: Set<String>) -> String {
    var words = next.map { [$0.placeholder] } ?? []
    let free = keys.filter { !given.contains($0.name) }
    words += free.filter(\.isRequired).map { "\($0.name)=\($0.kind.shortName)" }
    let optional = free.filter { !$0.isRequired }
    if mergesKeys {
      words.append("key=value …")
    } else if !optional.isEmpty {
      let some = optional.prefix(3).map { "\($0.name)=" } + (optional.count > 3 ? ["…"] : [])
      words.append("[\(some.joined(separator: " "))]")
    }
    return words.joined(separator: " ")
  }

  /// How the command is written: `load NAME [pretrained] [classes=N]`.
  public var usage: String {
    var words = [name]
    for (index, positional) in positionals.enumerated() {
      words.append(positional.placeholder)
      if index == 0, takesComparison { words.append("==|!=|>=|<=|>|<") }
    }
    words += flags.map { "[\($0.spelling)]" }
    let required = keys.filter(\.isRequired)
    words += required.map { "\($0.name)=\($0.kind.shortName)" }
    if required.count < keys.count { words.append("[key=value …]") }
    if allowsOutput { words.append("[> PATH]") }
    return words.joined(separator: " ")
  }
}
