/// A parameter that a script declares, with the value it has in this run.
public struct ScriptParameter: Hashable, Sendable {
  /// The name.
  public let name: String
  /// What values it takes.
  public let kind: ValueKind
  /// The value written in the script.
  public let defaultText: String
  /// The value in this run.
  public let text: String
  /// Whether the value was given from outside.
  public let isOverridden: Bool
  /// What it is for, if the script says so.
  public let help: String?
  /// Where it is declared.
  public let range: SourceRange
}

/// What a parameter's declaration means.
enum ParameterType {
  static let names = ["int", "float", "bool", "str", "path", "choice"]

  /// The kind of a parameter, from its type, the text behind `in`, and its default.
  static func kind(of syntax: ParameterSyntax, default text: String) -> (ValueKind?, Diagnostic?) {
    let choices = syntax.domain.flatMap { readChoices($0.text) }
    let bounds = syntax.domain.flatMap { readBounds($0.text) }
    if let domain = syntax.domain, choices == nil, bounds == nil {
      return (nil, .badDomain(domain))
    }
    let type = syntax.type?.text ?? inferred(from: text, bounds: bounds, choices: choices)
    switch type {
    case "int", "float":
      guard choices == nil else { return (nil, .domainMismatch(syntax, type)) }
      return (type == "int" ? .integer(bounds ?? .any) : .number(bounds ?? .any), nil)
    case "bool", "path":
      guard syntax.domain == nil else { return (nil, .domainMismatch(syntax, type)) }
      return (type == "bool" ? .boolean : .path(.input), nil)
    case "str", "choice":
      guard bounds == nil, type == "str" || choices != nil else {
        return (nil, .domainMismatch(syntax, type))
      }
      return (choices.map(ValueKind.choice) ?? .text, nil)
    default: return (nil, .unknownType(syntax.type))
    }
  }

  private static func inferred(from text: String, bounds: Bounds?, choices: [String]?) -> String {
    if choices != nil { return "choice" }
    if (try? ValueKind.integer().parse(text)) != nil { return "int" }
    if bounds != nil || (try? ValueKind.number().parse(text)) != nil { return "float" }
    return ["on", "off"].contains(text) ? "bool" : "str"
  }

  /// `a|b|c`; a single word is a choice of one.
  private static func readChoices(_ text: String) -> [String]? {
    guard !text.contains("..") else { return nil }
    let words = text.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
    return words.contains("") ? nil : words
  }

  /// `1..`, `1..10`, `..10`.
  private static func readBounds(_ text: String) -> Bounds? {
    guard text.contains(".."), let ends = Quantity.interval(text) else { return nil }
    return Bounds(lower: ends.lower, upper: ends.upper)
  }
}
