/// What the result of a step follows from, by name: its command, settings, data, network, files.
///
/// Two steps with equal keys do the same, wherever they stand in a script.
public struct ResultKey: Codable, Hashable, Sendable {
  /// One thing that a step depends on.
  public struct Input: Codable, Hashable, Sendable {
    /// What it is.
    public enum Kind: String, Codable, Sendable {
      /// The command's own words.
      case command
      /// A setting, named `lr`.
      case setting
      /// A piece of state that another step makes, named `model`.
      case slot
      /// A file or anything else outside the script.
      case outside
    }

    /// What it is.
    public let kind: Kind
    /// The name, unique in a key.
    public let name: String
    /// What is compared.
    public let value: String
    /// Where it comes from, in words: `train in cell 2`. It is not compared.
    public let origin: String?

    /// A thing that a step depends on.
    public init(_ kind: Kind, _ name: String, _ value: String, origin: String? = nil) {
      self.kind = kind
      self.name = name
      self.value = value
      self.origin = origin
    }
  }

  /// The things, in the order in which a difference is worth telling.
  public let inputs: [Input]

  /// A key of these things.
  public init(_ inputs: [Input]) { self.inputs = inputs }

  /// All of it in one text, for a digest.
  public var text: String {
    inputs.map { "\($0.kind.rawValue) \($0.name)=\($0.value)\n" }.joined()
  }

  /// Whether the two follow from the same.
  public func matches(_ other: ResultKey) -> Bool { text == other.text }

  /// Why a step must run again: the first thing that differs from an earlier key; nil when nothing
  /// does.
  ///
  /// - Parameter standard: the value that a setting has when a key does not mention it.
  public func difference(
    from old: ResultKey, standard: (_ setting: String) -> String? = { _ in nil }
  ) -> String? {
    for input in inputs {
      let before = old.inputs.first { $0.kind == input.kind && $0.name == input.name }
      guard before?.value != input.value else { continue }
      switch input.kind {
      case .command: return before.map { "the command was '\($0.value)'" } ?? "the command is new"
      case .setting:
        let old = before?.value ?? standard(input.name)
        return "\(input.name)=\(input.value)" + (old.map { " was \($0)" } ?? "")
      case .slot: return input.origin.map { "depends on \($0)" } ?? "another \(input.name)"
      case .outside: return "\(input.name) has changed"
      }
    }
    let names = Set(inputs.map { "\($0.kind.rawValue) \($0.name)" })
    guard let gone = old.inputs.first(where: { !names.contains("\($0.kind.rawValue) \($0.name)") })
    else { return nil }
    if gone.kind == .setting, let value = standard(gone.name) {
      return "\(gone.name)=\(value) was \(gone.value)"
    }
    return "it no longer depends on \(gone.origin ?? gone.name)"
  }
}

/// The slots of a script as its steps go by: what each holds, and which step wrote it last.
public struct SlotTrace: Sendable {
  private struct Content {
    var value: String
    var origin: String
  }

  private var contents: [Slot: Content] = [:]

  /// No slot is written yet.
  public init() {}

  /// What a slot holds; nil when no step has written it.
  public func value(of slot: Slot) -> String? { contents[slot]?.value }

  /// A step has written a slot.
  ///
  /// - Parameters:
  ///   - value: equal for equal contents.
  ///   - origin: the step in words: `train in cell 2`.
  public mutating func write(_ slot: Slot, _ value: String, origin: String) {
    contents[slot] = Content(value: value, origin: origin)
  }

  /// What a step reads, as parts of its key.
  ///
  /// - Parameter outside: what a slot holds that no step has written; nil for nothing.
  public func inputs(
    _ slots: [Slot], outside: (Slot) -> String? = { _ in nil }
  ) -> [ResultKey.Input] {
    var found: [ResultKey.Input] = []
    for slot in slots {
      let written = contents.keys.filter { $0.overlaps(slot) }.sorted()
      for name in written {
        guard let content = contents[name] else { continue }
        found.append(.init(.slot, name.name, content.value, origin: content.origin))
      }
      if written.isEmpty, let value = outside(slot) {
        found.append(.init(.outside, slot.name, value))
      }
    }
    var seen: Set<String> = []
    return found.filter { seen.insert($0.name).inserted }
  }
}
