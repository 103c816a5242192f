/// A value with its `${name}` replaced, before anybody knows what kind it should have.
struct EvaluatedValue {
  /// The whole as one text; the items of a list are joined by commas.
  var text: String
  /// The items, if it is read as a list.
  var items: [String]
  /// The items as they are written again, with `${name}` kept.
  var templates: [[Segment]]
  /// Whether it was written in brackets.
  var isBracketed: Bool
  /// Whether it was written without quotes and without `${name}`, so that it may be a special word.
  var isPlain: Bool
  /// The names mentioned.
  var references: [Name]
}

extension ValueSyntax {
  /// The value with every `${name}` replaced, or what is wrong with the names. Neither, when a
  /// name was declared with a fault that is reported there.
  func evaluated(in scope: Scope) -> (EvaluatedValue?, [Diagnostic]) {
    var diagnostics: [Diagnostic] = []
    for name in references where scope.entry(name.text) == nil {
      diagnostics.append(.unknownReference(name, known: scope.names))
    }
    guard diagnostics.isEmpty else { return (nil, diagnostics) }
    let isFaulty = references.contains { scope.entry($0.text)?.isFaulty == true }
    guard !isFaulty else { return (nil, []) }
    return (evaluatedForm(scope), [])
  }

  private func evaluatedForm(_ scope: Scope) -> EvaluatedValue {
    switch form {
    case .string(let segments):
      let text = segments.joined(scope)
      return EvaluatedValue(
        text: text, items: [text], templates: [segments], isBracketed: false, isPlain: false,
        references: references)
    case .word(let segments):
      let text = segments.joined(scope)
      var templates = segments.splitAtCommas()
      var items = templates.map { $0.joined(scope) }
      if segments.count == 1, case .reference = segments[0] {
        // A parameter may itself hold a list.
        items = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        templates = [segments]
      }
      return EvaluatedValue(
        text: text, items: items, templates: templates, isBracketed: false,
        isPlain: references.isEmpty, references: references)
    case .list(let values):
      let parts = values.map { $0.evaluatedForm(scope) }
      return EvaluatedValue(
        text: parts.map(\.text).joined(separator: ","), items: parts.map(\.text),
        templates: parts.map { $0.templates.joined(by: .literal(",")) }, isBracketed: true,
        isPlain: false, references: references)
    }
  }
}

extension [Segment] {
  /// The text with every `${name}` replaced.
  func joined(_ scope: Scope) -> String {
    map { segment in
      switch segment {
      case .literal(let text): text
      case .reference(let name): scope.entry(name.text)?.text ?? ""
      }
    }.joined()
  }

  /// The pieces between the commas that are literally there.
  func splitAtCommas() -> [[Segment]] {
    var pieces: [[Segment]] = [[]]
    for segment in self {
      guard case .literal(let text) = segment else {
        pieces[pieces.count - 1].append(segment)
        continue
      }
      let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      for (index, part) in parts.enumerated() {
        if index > 0 { pieces.append([]) }
        if !part.isEmpty { pieces[pieces.count - 1].append(.literal(String(part))) }
      }
    }
    return pieces
  }
}

extension [[Segment]] {
  fileprivate func joined(by separator: Segment) -> [Segment] {
    var result: [Segment] = []
    for (index, piece) in enumerated() {
      if index > 0 { result.append(separator) }
      result += piece
    }
    return result
  }
}
