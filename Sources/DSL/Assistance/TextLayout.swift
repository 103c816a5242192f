/// Fits text into a number of terminal columns.
enum TextLayout {
  /// A paragraph broken at spaces; a word longer than the width stays whole.
  static func wrapped(_ text: String, width: Int, indent: Int = 0) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var line = ""
    var used = 0
    for word in text.split(whereSeparator: \.isWhitespace) {
      let length = TextWidth.of(word)
      if used > 0, used + 1 + length > width - indent {
        lines.append(margin + line)
        line = ""
        used = 0
      }
      if used > 0 {
        line += " "
        used += 1
      }
      line += word
      used += length
    }
    if used > 0 { lines.append(margin + line) }
    return lines
  }

  /// Paragraphs, separated by empty lines in the text and in the result.
  static func paragraphs(_ text: String, width: Int, indent: Int = 0) -> [String] {
    var lines: [String] = []
    var paragraph = ""
    func close() {
      let wrapped = wrapped(paragraph, width: width, indent: indent)
      if !lines.isEmpty, !wrapped.isEmpty { lines.append("") }
      lines += wrapped
      paragraph = ""
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.allSatisfy(\.isWhitespace) { close() } else { paragraph += " " + line }
    }
    close()
    return lines
  }

  /// Terms with their explanations beside them. A term too long for its column stands on a line
  /// of its own. `termWidth` aligns several such tables.
  static func definitions(
    _ rows: [(term: String, text: String)], width: Int, widestTerm: Int = 26,
    termWidth: Int? = nil
  ) -> [String] {
    let indent = 2
    let fitting = rows.map { TextWidth.of($0.term) }.filter { $0 <= widestTerm }
    let column = indent + (termWidth ?? fitting.max() ?? widestTerm) + 2
    return rows.flatMap { row -> [String] in
      let term = String(repeating: " ", count: indent) + row.term
      var lines = wrapped(row.text, width: max(width, column + 20), indent: column)
      let gap = column - TextWidth.of(term)
      if gap >= 2, !lines.isEmpty {
        lines[0] = term + String(repeating: " ", count: gap) + lines[0].dropFirst(column)
        return lines
      }
      return [term] + lines
    }
  }
}
