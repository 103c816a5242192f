/// Writes values back so that they are read as the same values again.
public enum CanonicalText {
  /// A text as one value: as it is if it lexes as that one word, in quotes otherwise.
  public static func value(_ text: String) -> String { value([.literal(text)]) }

  /// A text with `${name}` kept.
  static func value(_ segments: [Segment]) -> String {
    let plain = segments.map(unquoted).joined()
    return isWord(plain, segments) ? plain : quoted(segments)
  }

  /// Several values: `a,b` where commas are enough, `[a]`, `["a b",c]` or `[]` otherwise.
  static func list(_ items: [[Segment]], inBrackets: Bool = false) -> String {
    let texts = items.map(value)
    let needsBrackets =
      inBrackets || items.isEmpty
      || texts.contains { $0.hasPrefix("\"") || $0.contains(",") || $0.hasPrefix("[") }
    guard needsBrackets else { return texts.joined(separator: ",") }
    let safe = zip(items, texts).map { item, text in
      text.contains(where: ",[]".contains) && !text.hasPrefix("\"")
        ? quoted(item) : text
    }
    return "[\(safe.joined(separator: ","))]"
  }

  /// A text in double quotes, with escapes.
  static func quoted(_ segments: [Segment]) -> String {
    var result = "\""
    for segment in segments {
      guard case .literal(let text) = segment else {
        result += unquoted(segment)
        continue
      }
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "$": result += "\\$"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F:
          result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
      }
    }
    return result + "\""
  }

  /// Whether `text` behind a verb, and behind `key=`, lexes as one word of exactly these segments.
  private static func isWord(_ text: String, _ segments: [Segment]) -> Bool {
    guard !text.isEmpty, !text.hasSuffix(",") else { return false }
    for prefix in ["x ", "k="] {
      let (tokens, diagnostics) = Lexer.tokenize(Source(name: "", text: prefix + text))
      guard diagnostics.isEmpty, tokens.count == 3, case .word(let found) = tokens[1].kind,
        found.map(unquoted) == merged(segments).map(unquoted)
      else { return false }
    }
    return true
  }

  /// The segments as the lexer would cut them: no two literals side by side.
  private static func merged(_ segments: [Segment]) -> [Segment] {
    var result: [Segment] = []
    for segment in segments {
      if case .literal(let text) = segment {
        if text.isEmpty { continue }
        if case .literal(let last)? = result.last {
          result[result.count - 1] = .literal(last + text)
          continue
        }
      }
      result.append(segment)
    }
    return result
  }

  private static func unquoted(_ segment: Segment) -> String {
    switch segment {
    case .literal(let text): text
    case .reference(let name): "${\(name.text)}"
    }
  }
}

extension Invocation {
  /// The command in its one canonical spelling: aliases and prefixes expanded, positionals first,
  /// then switches and keys in the order of the signature, quotes only where needed, `${name}`
  /// replaced. It parses and binds to an equal invocation.
  public var canonicalText: String { text(\.canonicalText) }

  /// Like ``canonicalText``, but with `${name}` kept.
  public var canonicalTemplate: String { text(\.canonicalTemplate) }

  private func text(_ part: (Argument) -> String) -> String {
    var words = [name]
    for (index, positional) in positionals.enumerated() {
      words.append(part(positional))
      if index == 0, let comparator { words.append(comparator.rawValue) }
    }
    let present = signature.flags.filter { flags.contains($0.name) }
    words += present.filter(\.isBareWord).map(\.spelling)
    words += keys.map { "\($0.name)=\(part($0))" }
    words += present.filter { !$0.isBareWord }.map(\.spelling)
    if let output { words.append("> \(part(output))") }
    return words.joined(separator: " ")
  }
}
