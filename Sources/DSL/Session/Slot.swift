/// One piece of the state that commands read and write, by name: `params.lr`, `data`, `model`,
/// `optim`, `run:NAME`, `file:PATH`, `env`.
///
/// A slot that ends in `*` stands for all slots that begin like it.
public struct Slot: Hashable, Sendable, Comparable, CustomStringConvertible,
  ExpressibleByStringLiteral
{
  /// The name.
  public let name: String

  /// The slot of that name.
  public init(_ name: String) { self.name = name }
  /// The slot of that name.
  public init(stringLiteral name: String) { self.name = name }

  /// The slot of one hyperparameter.
  public static func parameter(_ key: String) -> Slot { Slot("params.\(key)") }
  /// The slot of one run.
  public static func run(_ name: String) -> Slot { Slot("run:\(name)") }
  /// The slot of one file.
  public static func file(_ path: String) -> Slot { Slot("file:\(path)") }

  /// Whether the name stands for several slots.
  public var isPattern: Bool { name.hasSuffix("*") }

  /// Whether the two can mean the same piece of state.
  public func overlaps(_ other: Slot) -> Bool {
    switch (isPattern, other.isPattern) {
    case (false, false): name == other.name
    case (true, false): other.name.hasPrefix(name.dropLast())
    case (false, true): name.hasPrefix(other.name.dropLast())
    case (true, true):
      name.dropLast().hasPrefix(other.name.dropLast())
        || other.name.dropLast().hasPrefix(name.dropLast())
    }
  }

  /// The name.
  public var description: String { name }

  /// Alphabetical order.
  public static func < (first: Slot, second: Slot) -> Bool { first.name < second.name }
}

/// How a command's signature says which slots an invocation reads or writes.
public indirect enum SlotRule: Hashable, Sendable {
  /// Always this slot; `params.*` stands for all parameters.
  case slot(Slot)
  /// One slot per bound key: with the prefix `params.`, `set lr=.1 epochs=5` means `params.lr`
  /// and `params.epochs`. Keys named in `except` do not count.
  case eachKey(prefix: String, except: Set<String> = [])
  /// One slot per value of the named positional or key: with the prefix `run:`, `name=a` means
  /// `run:a`. Nothing when it is not given.
  case argument(String, prefix: String)
  /// `file:PATH` of the output written with `> PATH`; nothing when there is none.
  case output
  /// What another rule says, for the invocations of which a condition holds.
  case only(SlotRule, Condition)

  /// What the words of an invocation say.
  public enum Condition: Hashable, Sendable {
    /// The named positional or key is not given.
    case missing(String)
    /// One of its values is among these.
    case among(String, Set<String>)
  }

  /// The rule itself, without conditions.
  var unconditional: SlotRule {
    if case .only(let rule, _) = self { rule.unconditional } else { self }
  }

  /// The positional or key that decides whether the rule counts; nil when it always does.
  var deciding: String? {
    guard case .only(_, let condition) = self else { return nil }
    switch condition {
    case .missing(let name), .among(let name, _): return name
    }
  }
}
