/// One command of a session as it was run: what a saved script is cut from.
public struct JournalEntry: Hashable, Sendable, Codable {
  /// How it ended.
  public enum Status: String, Hashable, Sendable, Codable {
    /// It ran to its end.
    case ok
    /// It failed, and changed nothing.
    case failed
    /// The user stopped it.
    case interrupted
  }

  /// `key=value` pairs that may be split from each other and joined with those of other commands.
  public struct Assignment: Hashable, Sendable, Codable {
    /// The slot it writes.
    public var slot: Slot
    /// How it is written: `lr=0.1`.
    public var text: String
    /// Its place among the keys of the signature.
    public var order: Int
    /// Whether it only puts the slot back to its default.
    public var isReset: Bool
    /// How it is written with `${name}` kept.
    public var template: String

    /// One `key=value` pair.
    public init(
      slot: Slot, text: String, order: Int, isReset: Bool = false, template: String? = nil
    ) {
      self.slot = slot
      self.text = text
      self.order = order
      self.isReset = isReset
      self.template = template ?? text
    }
  }

  /// A command that mentions parameters of the session, as it was typed.
  public struct Template: Hashable, Sendable, Codable {
    /// The canonical spelling with `${name}` kept.
    public var text: String
    /// What the names stood for.
    public var values: [String: String]

    /// A text and what its names stood for.
    public init(text: String, values: [String: String]) {
      self.text = text
      self.values = values
    }
  }

  /// The `for` that a command was repeated by.
  public struct Loop: Hashable, Sendable, Codable {
    /// The whole loop as it was written.
    public var text: String
    /// Which of its commands this is, all repetitions counted.
    public var position: Int
    /// How many commands it comes to.
    public var count: Int
    /// What the names stood for that are not its own variables.
    public var values: [String: String]

    /// One command of a loop.
    public init(text: String, position: Int, count: Int, values: [String: String] = [:]) {
      self.text = text
      self.position = position
      self.count = count
      self.values = values
    }
  }

  /// The verb.
  public var verb: String
  /// The command in its canonical spelling.
  public var text: String
  /// What a saved script says instead, if it is not the same: `train … stop-at=1234` for a
  /// training that the user stopped. An interrupted command is saved only if it has one.
  public var savedText: String?
  /// How it ended.
  public var status: Status
  /// What kind of trace it left.
  public var effect: Signature.Effect
  /// The slots it read.
  public var reads: [Slot]
  /// The slots it wrote. A pattern means that it may have written any of them.
  public var writes: [Slot]
  /// Its parts, if it consists of assignments only; empty otherwise.
  public var assignments: [Assignment]
  /// Whether it only puts its slots back to their defaults.
  public var restoresDefaults: Bool
  /// Whether `undo` has taken it back.
  public var isUndone: Bool
  /// The key of the cell it belongs to; lines are not moved from one cell to another.
  public var cell: Int
  /// The comments that stand right before it, each with its `#`.
  public var comments: [String] = []
  /// How it says what it says with the session's parameters, if it mentions any.
  public var template: Template?
  /// The outermost loop that it stems from, if any.
  public var loop: Loop?

  /// An entry from its parts.
  public init(
    verb: String, text: String, savedText: String? = nil, status: Status = .ok,
    effect: Signature.Effect, reads: [Slot] = [], writes: [Slot] = [],
    assignments: [Assignment] = [], restoresDefaults: Bool = false, isUndone: Bool = false,
    cell: Int = 0
  ) {
    self.verb = verb
    self.text = text
    self.savedText = savedText
    self.status = status
    self.effect = effect
    self.reads = reads
    self.writes = writes
    self.assignments = assignments
    self.restoresDefaults = restoresDefaults
    self.isUndone = isUndone
    self.cell = cell
  }

  /// The entry of an invocation, with the slots that its signature declares.
  ///
  /// - Parameters:
  ///   - reads: further slots that it turned out to read.
  ///   - writes: further slots that it turned out to write, such as the run it named itself.
  public init(
    _ invocation: Invocation, status: Status, savedText: String? = nil,
    reads: [Slot] = [], writes: [Slot] = [], cell: Int = 0
  ) {
    let signature = invocation.signature
    var assignments: [Assignment] = []
    if signature.mergesKeys, invocation.positionals.isEmpty, invocation.flags.isEmpty {
      assignments = invocation.keyWrites.map { slot, argument in
        Assignment(
          slot: slot, text: "\(argument.name)=\(argument.canonicalText)",
          order: signature.keys.firstIndex { $0.name == argument.name } ?? 0,
          isReset: argument.value == .standard,
          template: "\(argument.name)=\(argument.canonicalTemplate)")
      }
    }
    self.init(
      verb: signature.name, text: invocation.canonicalText, savedText: savedText, status: status,
      effect: invocation.effect, reads: invocation.reads + reads,
      writes: invocation.writes + writes, assignments: assignments,
      restoresDefaults: signature.restoresDefaults, cell: cell)
  }
}

extension JournalEntry {
  /// The same entry with parameters in the place of their values, where it mentions any and they
  /// still have these values; a loop whose parameters have other values now is forgotten.
  public func templated(_ value: (String) -> String?) -> JournalEntry {
    var entry = self
    func isUnchanged(_ values: [String: String]) -> Bool {
      values.allSatisfy { value($0.key) == $0.value }
    }
    if let loop, !isUnchanged(loop.values) { entry.loop = nil }
    guard let template, savedText == nil, isUnchanged(template.values) else { return entry }
    entry.text = template.text
    for index in entry.assignments.indices {
      entry.assignments[index].text = entry.assignments[index].template
    }
    return entry
  }
}

extension Slot: Codable {
  /// Reads the name.
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  /// Writes the name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(name)
  }
}
