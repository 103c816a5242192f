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
public enum SlotRule: Hashable, Sendable {
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
}
