extension ValueKind {
  /// Reads one text as a value of this kind. Lists are split at commas.
  ///
  /// - Throws: what is wrong, in terms of what is accepted.
  public func parse(_ text: String) throws(ValueProblem) -> Value {
    switch self {
    case .integer(let bounds):
      guard let number = Quantity.integer(text) else { throw problem(.malformed, text) }
      guard bounds.contains(Double(number)) else { throw problem(.outOfRange, text) }
      return .integer(number)
    case .number(let bounds):
      guard let number = Quantity.number(text) else { throw problem(.malformed, text) }
      guard bounds.contains(number) else { throw problem(.outOfRange, text) }
      return .number(number)
    case .boolean:
      switch text.lowercased() {
      case "on", "true", "yes", "1": return .boolean(true)
      case "off", "false", "no", "0": return .boolean(false)
      default: throw problem(.malformed, text)
      }
    case .word:
      guard !text.isEmpty, !text.contains(where: \.isWhitespace) else {
        throw problem(.malformed, text)
      }
      return .text(text)
    case .text, .path(.directory):
      return .text(text)
    case .path, .named:
      guard !text.isEmpty else { throw problem(.malformed, text) }
      return .text(text)
    case .choice(let words):
      guard let word = Self.choice(text, among: words) else {
        throw problem(.malformed, text, hint: Suggestion.didYouMean(text, among: words))
      }
      return .text(word)
    case .list:
      if text.isEmpty { return try parse(items: []) }
      return try parse(
        items: text.split(separator: ",", omittingEmptySubsequences: false).map(String.init))
    case .duration:
      guard let seconds = Quantity.duration(text) else { throw problem(.malformed, text) }
      return .duration(seconds)
    case .size:
      guard let bytes = Quantity.size(text) else { throw problem(.malformed, text) }
      return .size(bytes)
    case .interval:
      guard let ends = Quantity.interval(text) else { throw problem(.malformed, text) }
      return .interval(ends.lower, ends.upper)
    case .either(let words, let kind):
      if let word = Self.choice(text, among: words) { return .keyword(word) }
      do throws(ValueProblem) {
        return try kind.parse(text)
      } catch {
        throw problem(error.fault, text, hint: error.hint)
      }
    }
  }

  /// Reads the items of a list. A kind that is no list takes exactly one item.
  public func parse(items: [String]) throws(ValueProblem) -> Value {
    switch self {
    case .list(let kind, let count):
      if let count, !count.contains(items.count) {
        throw problem(.wrongCount, items.joined(separator: ","))
      }
      var values: [Value] = []
      for item in items {
        guard !item.isEmpty || kind == .text else {
          throw problem(
            .malformed, items.joined(separator: ","),
            hint: "an item is empty; write a,b without spaces")
        }
        values.append(try kind.parse(item))
      }
      return .list(values)
    case .either(let words, or: let kind):
      if items.count == 1, let word = Self.choice(items[0], among: words) { return .keyword(word) }
      return try kind.parse(items: items)
    default:
      guard items.count == 1 else { throw problem(.wrongCount, items.joined(separator: ",")) }
      return try parse(items[0])
    }
  }

  /// Whether values of this kind are written as lists.
  var isList: Bool {
    switch self {
    case .list: true
    case .either(_, or: let kind): kind.isList
    default: false
    }
  }

  /// The special words that stand beside the ordinary values.
  var keywords: [String] {
    if case .either(let words, or: let kind) = self { words + kind.keywords } else { [] }
  }

  private func problem(
    _ fault: ValueProblem.Fault, _ text: String, hint: String? = nil
  ) -> ValueProblem {
    ValueProblem(fault: fault, text: text, expected: phrase, hint: hint)
  }

  /// The choice that `text` spells; letter case and `_` for `-` do not matter.
  private static func choice(_ text: String, among words: [String]) -> String? {
    if words.contains(text) { return text }
    let wanted = normalizedName(text).lowercased()
    return words.first { normalizedName($0).lowercased() == wanted }
  }
}

/// The spelling under which names are compared: `_` and `-` are the same.
func normalizedName(_ name: some StringProtocol) -> String {
  String(name.map { $0 == "_" ? "-" : $0 })
}
