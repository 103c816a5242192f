/// One bound argument: the name of the positional or key, its checked value, and where it stands.
public struct Argument: Hashable, Sendable {
  /// The name in the signature; aliases are resolved.
  public let name: String
  /// The checked value.
  public let value: Value
  /// The text as typed, with `${name}` replaced and quotes removed.
  public let text: String
  /// The text as it is written out again, quoted where needed.
  public let canonicalText: String
  /// Like `canonicalText`, but with `${name}` kept.
  public let canonicalTemplate: String
  /// The parameters and loop variables it mentions.
  public let references: [String]
  /// Where the value stands.
  public let range: SourceRange
  /// Where the whole argument stands: `key=value`.
  public let fullRange: SourceRange
}

/// A command with checked arguments: what a command's action receives.
public struct Invocation: Hashable, Sendable {
  /// The command's declaration.
  public let signature: Signature
  /// The values by place, in order; a variadic positional has one entry per value.
  public let positionals: [Argument]
  /// The `key=value` pairs, in the signature's order.
  public let keys: [Argument]
  /// The names of the switches that are present, in the signature's order.
  public let flags: [String]
  /// What `> PATH` names.
  public let output: Argument?
  /// The comparator, for signatures that take one.
  public let comparator: Comparator?
  /// The whole command in its source.
  public let range: SourceRange

  /// The verb, aliases and prefixes resolved.
  public var name: String { signature.name }

  /// All arguments: positionals, keys, output.
  public var arguments: [Argument] { positionals + keys + (output.map { [$0] } ?? []) }

  /// The argument of that positional or key; the first one of a variadic positional.
  public func argument(_ name: String) -> Argument? {
    assert(
      signature.keys.contains { $0.name == name }
        || signature.positionals.contains { $0.name == name },
      "'\(self.name)' declares no argument '\(name)'")
    return keys.first { $0.name == name } ?? positionals.first { $0.name == name }
  }

  /// Whether the positional or key is given (`default` counts as given).
  public func isGiven(_ name: String) -> Bool { argument(name) != nil }

  /// Whether the switch is present.
  public func has(_ flag: String) -> Bool {
    assert(signature.flag(flag) != nil, "'\(name)' declares no flag '\(flag)'")
    return flags.contains(flag)
  }

  /// The checked value; nil when it is not given.
  public func value(_ name: String) -> Value? { argument(name)?.value }

  /// A word, text, path, name, choice or keyword; nil when it is not given or `default`.
  public func string(_ name: String) -> String? {
    switch value(name) {
    case .text(let text), .keyword(let text): text
    case .none, .standard: nil
    default: argument(name)?.text
    }
  }

  /// The text of an argument that the signature requires.
  public func requiredString(_ name: String) -> String {
    guard let text = string(name) else {
      preconditionFailure("'\(self.name)' reads '\(name)', which its signature does not require")
    }
    return text
  }

  /// The texts of a variadic positional or of a list; empty when it is not given.
  public func strings(_ name: String) -> [String] {
    let found = positionals.filter { $0.name == name } + keys.filter { $0.name == name }
    return found.flatMap { argument in
      if case .list(let values) = argument.value { return values.map(\.plainText) }
      if case .standard = argument.value { return [] }
      return [argument.text]
    }
  }

  /// A whole number; nil when it is not given, a keyword or `default`.
  public func integer(_ name: String) -> Int? {
    if case .integer(let number) = value(name) { number } else { nil }
  }

  /// A number, whole or not; nil when it is not given, a keyword or `default`.
  public func number(_ name: String) -> Double? { value(name)?.asNumber }

  /// The numbers of a list; nil when it is not given, a keyword or `default`.
  public func numbers(_ name: String) -> [Double]? {
    guard case .list(let values) = value(name) else { return nil }
    return values.compactMap(\.asNumber)
  }

  /// `on` or `off`; nil when it is not given or `default`.
  public func boolean(_ name: String) -> Bool? {
    if case .boolean(let flag) = value(name) { flag } else { nil }
  }

  /// Seconds; nil when it is not given, a keyword or `default`.
  public func duration(_ name: String) -> Double? {
    if case .duration(let seconds) = value(name) { seconds } else { nil }
  }

  /// Bytes; nil when it is not given, a keyword or `default`.
  public func size(_ name: String) -> Int? {
    if case .size(let bytes) = value(name) { bytes } else { nil }
  }

  /// The ends of `from..to`; nil when it is not given, a keyword or `default`.
  public func interval(_ name: String) -> (lower: Double?, upper: Double?)? {
    if case .interval(let lower, let upper) = value(name) { (lower, upper) } else { nil }
  }

  /// The special word (`auto`, `none`) that was given instead of a value.
  public func keyword(_ name: String) -> String? {
    if case .keyword(let word) = value(name) { word } else { nil }
  }

  /// The path behind `>`.
  public var outputPath: String? { output?.text }

  /// Where the positional or key stands, or else the whole command.
  public func range(of name: String) -> SourceRange { argument(name)?.range ?? range }

  /// The parameters and loop variables that the command mentions.
  public var references: Set<String> { Set(arguments.flatMap(\.references)) }
}

extension Value {
  /// The number it is, if it is one.
  public var asNumber: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  /// The value as text, not quoted.
  public var plainText: String {
    switch self {
    case .integer(let number): String(number)
    case .number(let number): shortest(number)
    case .boolean(let flag): flag ? "on" : "off"
    case .text(let text), .keyword(let text): text
    case .list(let values): values.map(\.plainText).joined(separator: ",")
    case .duration(let seconds): shortest(seconds)
    case .size(let bytes): String(bytes)
    case .interval(let lower, let upper):
      (lower.map(shortest) ?? "") + ".." + (upper.map(shortest) ?? "")
    case .standard: "default"
    }
  }
}
