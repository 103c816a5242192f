/// Writes diagnostics the way compilers do: the place, the message, the line, carets and a hint.
///
/// ```
/// cifar.wb:14:5: error: unknown hyperparameter 'warmup-epoch'
///  14 | set warmup-epoch=5 lr=0.01
///     |     ^^^^^^^^^^^^ did you mean 'warmup-epochs' (int, default 3)?
///  in cell 2 "Train" · 0 of 5 cells run · nothing was changed
/// ```
public struct Renderer: Sendable {
  /// Whether to colour with ANSI escape sequences.
  public var usesColor: Bool
  /// Whether to begin with `name:line:column`; a prompt does without.
  public var showsLocation: Bool

  /// Plain text with locations unless said otherwise.
  public init(usesColor: Bool = false, showsLocation: Bool = true) {
    self.usesColor = usesColor
    self.showsLocation = showsLocation
  }

  /// All diagnostics, one after the other, each ending in a line break.
  ///
  /// - Parameters:
  ///   - source: the text that the ranges count in.
  ///   - context: a last line, such as `0 of 5 cells run · nothing was changed`.
  public func render(
    _ diagnostics: [Diagnostic], in source: Source?, context: String? = nil
  ) -> String {
    var text = ""
    for diagnostic in diagnostics { text += render(diagnostic, in: source) }
    if let context { text += " \(context)\n" }
    return text
  }

  /// One diagnostic with its notes, ending in a line break.
  public func render(_ diagnostic: Diagnostic, in source: Source?) -> String {
    var text = entry(
      label: diagnostic.severity, diagnostic.message, hint: diagnostic.hint, diagnostic.range,
      source)
    for note in diagnostic.notes {
      text += entry(label: .note, note.message, hint: nil, note.range, source)
    }
    return text
  }

  private func entry(
    label: Diagnostic.Severity, _ message: String, hint: String?, _ range: SourceRange?,
    _ source: Source?
  ) -> String {
    let labelled = painted("\(label.rawValue):", colour(of: label)) + " " + Self.harmless(message)
    guard let range, let source else {
      let indent = label == .note ? "  " : ""
      let first = "\(indent)\(labelled)\n"
      return hint.map { "\(first) \(Self.harmless($0))\n" } ?? first
    }
    var text = labelled + "\n"
    if showsLocation { text = painted(source.describe(range.start) + ":", .bold) + " " + text }
    let line = source.line(at: range.start)
    let lineRange = source.rangeOfLine(line)
    let start = min(range.start, lineRange.end)
    let end = min(max(range.end, start), lineRange.end)
    let before = Self.expanded(source.text(in: SourceRange(lineRange.start, start)))
    let marked = Self.expanded(
      source.text(in: SourceRange(start, end)), from: TextWidth.of(before))
    let after = Self.expanded(
      source.text(in: SourceRange(end, lineRange.end)),
      from: TextWidth.of(before) + TextWidth.of(marked))
    let number = String(line)
    text += " \(number) | \(before)\(marked)\(after)\n"
    let gutter = String(repeating: " ", count: number.count + 2) + "|"
    let indent = String(repeating: " ", count: TextWidth.of(before))
    let carets = String(repeating: "^", count: max(1, TextWidth.of(marked)))
    let advice = hint.map { " " + Self.harmless($0) } ?? ""
    text += "\(gutter) \(indent)\(painted(carets, .green))\(advice)\n"
    return text
  }

  /// Tabs as spaces up to the next multiple of four, other control characters as a visible mark.
  private static func expanded(_ text: String, from column: Int = 0) -> String {
    var result = ""
    var column = column
    for character in text {
      if character == "\t" {
        let width = 4 - column % 4
        result += String(repeating: " ", count: width)
        column += width
      } else if let scalar = character.unicodeScalars.first, scalar.isControl {
        result += "\u{FFFD}"
        column += 1
      } else {
        result.append(character)
        column += TextWidth.of(character)
      }
    }
    return result
  }

  /// A message that cannot move the terminal's cursor: control characters become a visible mark.
  private static func harmless(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: \.isControl) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.isControl ? "\u{FFFD}" : $0 }))
  }

  private enum Colour: String {
    case bold = "1"
    case red = "1;31"
    case yellow = "1;33"
    case cyan = "1;36"
    case green = "32"
  }

  private func colour(of severity: Diagnostic.Severity) -> Colour {
    switch severity {
    case .error: .red
    case .warning: .yellow
    case .note: .cyan
    }
  }

  private func painted(_ text: String, _ colour: Colour) -> String {
    usesColor ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool { value < 0x20 || (0x7F...0x9F).contains(value) }
}
