/// Cuts the text of a code cell into statements: lines, joined where a bracket, a text in quotes or a
/// `\` goes on into the next one.
enum PythonLines {
  /// A statement.
  struct Statement: Equatable {
    /// Its first line, from 1.
    let line: Int
    /// Its text; joined lines are kept apart by line feeds.
    let text: String
    /// How far it is indented.
    var indent: Int { text.prefix { $0 == " " || $0 == "\t" }.count }
  }

  /// The statements of a cell; empty lines are left out.
  static func statements(of source: String) -> [Statement] {
    var statements: [Statement] = []
    var pending = ""
    var first = 1
    for (index, line) in source.split(separator: "\n", omittingEmptySubsequences: false)
      .enumerated()
    {
      if pending.isEmpty {
        guard line.contains(where: { !$0.isWhitespace }) else { continue }
        first = index + 1
        pending = String(line)
      } else {
        pending += "\n" + line
      }
      if isOpen(pending) { continue }
      statements.append(Statement(line: first, text: pending))
      pending = ""
    }
    if !pending.isEmpty { statements.append(Statement(line: first, text: pending)) }
    return statements
  }

  /// Whether a statement is not at its end yet.
  private static func isOpen(_ text: String) -> Bool {
    if text.hasSuffix("\\") { return true }
    // A magic or a shell line is one line, whatever it holds.
    if let first = text.first(where: { !$0.isWhitespace }), "!%".contains(first) { return false }
    var depth = 0
    var quote: String?
    var rest = text[...]
    while let character = rest.first {
      if let open = quote {
        if character == "\\" {
          rest = rest.dropFirst(2)
          continue
        }
        if rest.hasPrefix(open) {
          rest = rest.dropFirst(open.count)
          quote = nil
          continue
        }
        // A text in plain quotes ends with its line, closed or not.
        if character == "\n", open.count == 1 { quote = nil }
      } else if let open = ["\"\"\"", "'''", "\"", "'"].first(where: rest.hasPrefix) {
        quote = open
        rest = rest.dropFirst(open.count)
        continue
      } else if character == "#" {
        rest = rest.drop { $0 != "\n" }
        continue
      } else if "([{".contains(character) {
        depth += 1
      } else if ")]}".contains(character) {
        depth -= 1
      }
      rest = rest.dropFirst()
    }
    return depth > 0 || quote?.count == 3
  }
}
