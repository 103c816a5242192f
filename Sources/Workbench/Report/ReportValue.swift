/// A value in a machine-readable report: what JSON can say, with keys in a fixed (sorted) order.
indirect enum ReportValue: Sendable, Equatable {
  case missing
  case flag(Bool)
  case integer(Int)
  case real(Double)
  case text(String)
  case list([ReportValue])
  case record([String: ReportValue])

  /// The value as JSON on one line. Numbers that JSON cannot say (NaN, infinities) become `null`.
  var json: String {
    switch self {
    case .missing: return "null"
    case .flag(let flag): return flag ? "true" : "false"
    case .integer(let value): return String(value)
    case .real(let value): return value.isFinite ? Self.shortest(value) : "null"
    case .text(let text): return Self.quoted(text)
    case .list(let values): return "[" + values.map(\.json).joined(separator: ",") + "]"
    case .record(let fields):
      let pairs = fields.sorted { $0.key < $1.key }
      return "{" + pairs.map { Self.quoted($0.key) + ":" + $0.value.json }.joined(separator: ",")
        + "}"
    }
  }

  /// The value as one CSV field: blank if missing, quoted where RFC 4180 asks for it.
  var csv: String {
    switch self {
    case .missing: return ""
    case .flag, .integer: return json
    case .real(let value): return value.isNaN ? "" : Self.shortest(value)
    case .text(let text): return Self.csvField(text)
    case .list, .record: return Self.csvField(json)
    }
  }

  /// The shortest digits that read back as the same number; whole numbers without `.0`.
  static func shortest(_ value: Double) -> String {
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
    return String(value)
  }

  /// Text as a CSV field.
  static func csvField(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { ",\"\n\r".unicodeScalars.contains($0) }) else {
      return text
    }
    return "\""
      + text.split(separator: "\"", omittingEmptySubsequences: false)
      .joined(separator: "\"\"") + "\""
  }

  /// Text as a JSON string.
  static func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      case "\0"..<" ":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}

extension ReportValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral
{
  init(stringLiteral value: String) { self = .text(value) }
  init(integerLiteral value: Int) { self = .integer(value) }
  init(floatLiteral value: Double) { self = .real(value) }
  init(booleanLiteral value: Bool) { self = .flag(value) }
}
