/// A value that a hyperparameter can hold, independent of the language it was written in.
public enum HyperparameterValue: Sendable, Hashable {
  /// A switch: `on` or `off`.
  case flag(Bool)
  /// A whole number.
  case integer(Int)
  /// A real number; durations are seconds.
  case number(Double)
  /// Several numbers, as in `scale=[0.08,1]`.
  case numbers([Double])
  /// A name out of a list of choices, or `auto` or `none`.
  case word(String)

  /// Left to the program, which takes the network's or the machine's value.
  public static let auto = HyperparameterValue.word("auto")
  /// Switched off.
  public static let none = HyperparameterValue.word("none")

  /// The value as one writes it in a script: `on`, `32`, `0.05`, `[0.08,1]`, `cosine`.
  public var text: String {
    switch self {
    case .flag(let value): return value ? "on" : "off"
    case .integer(let value): return String(value)
    case .number(let value): return Self.text(value)
    case .numbers(let values): return "[" + values.map(Self.text).joined(separator: ",") + "]"
    case .word(let value): return value
    }
  }

  /// The numbers of a list, or a single number as a list of one; nil for anything else.
  var asNumbers: [Double]? {
    switch self {
    case .numbers(let values): return values
    case .number(let value): return [value]
    case .integer(let value): return [Double(value)]
    case .flag, .word: return nil
    }
  }

  /// The shortest text that reads back as the same number, without a needless `.0`.
  static func text(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension HyperparameterValue: Codable {
  /// Reads a JSON boolean, number, list of numbers or string; whole numbers become `integer`, and
  /// the key's `normalized` turns them into what the key holds.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let value = try? container.decode(Bool.self) {
      self = .flag(value)
    } else if let value = try? container.decode(Int.self) {
      self = .integer(value)
    } else if let value = try? container.decode(Double.self) {
      self = .number(value)
    } else if let value = try? container.decode([Double].self) {
      self = .numbers(value)
    } else {
      self = .word(try container.decode(String.self))
    }
  }

  /// Writes the plain JSON value.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .flag(let value): try container.encode(value)
    case .integer(let value): try container.encode(value)
    case .number(let value): try container.encode(value)
    case .numbers(let values): try container.encode(values)
    case .word(let value): try container.encode(value)
    }
  }
}
