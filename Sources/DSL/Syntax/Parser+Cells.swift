/// Cell markers in the percent format of jupytext.
extension Parser {
  /// Reads what follows `# %%`: a title, `[markdown]`, and `key="value"` pairs, in that order.
  func cellMarker(_ content: String, range: SourceRange) -> CellMarker {
    let characters = Array(content)
    var tail = Tail()
    var titleEnd = characters.count
    // The first place from which everything up to the end is markers and pairs ends the title.
    for start in characters.indices
    where (start == 0 || characters[start - 1] == " ") && characters[start] != " " {
      if let found = Tail(characters[start...]) {
        tail = found
        titleEnd = start
        break
      }
    }
    let title = Self.trimmed(characters[..<titleEnd])
    let tags = tail.attributes.first { $0.key == "tags" }?.value
    return CellMarker(
      title: title, isMarkdown: tail.isMarkdown,
      id: tail.attributes.first { $0.key == "id" }?.value,
      tags: tags.map { $0.split { $0 == "," || $0 == " " }.map(String.init) } ?? [],
      attributes: tail.attributes, range: range)
  }

  private static func trimmed(_ characters: ArraySlice<Character>) -> String {
    let from = characters.drop(while: \.isWhitespace)
    let kept = from.reversed().drop(while: \.isWhitespace).reversed()
    return String(kept)
  }

  /// `[markdown] key="value" key=["a", "b"]` up to the end of a line.
  private struct Tail {
    var isMarkdown = false
    var attributes: [CellMarker.Attribute] = []

    init() {}

    /// Nil if there is anything else.
    init?(_ text: ArraySlice<Character>) {
      var rest = text
      for marker in ["[markdown]", "[md]"] where rest.starts(with: marker) {
        isMarkdown = true
        rest = rest.dropFirst(marker.count)
      }
      while true {
        rest = rest.drop(while: \.isWhitespace)
        if rest.isEmpty { return }
        let key = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
        rest = rest.dropFirst(key.count)
        guard key.first?.isLetter == true, rest.first == "=" else { return nil }
        rest = rest.dropFirst()
        guard let value = Self.string(&rest) ?? Self.list(&rest) else { return nil }
        attributes.append(CellMarker.Attribute(key: String(key), value: value))
      }
    }

    private static func string(_ rest: inout ArraySlice<Character>) -> String? {
      guard rest.first == "\"" else { return nil }
      var value = ""
      var index = rest.startIndex + 1
      while index < rest.endIndex {
        if rest[index] == "\"" {
          rest = rest[(index + 1)...]
          return value
        }
        if rest[index] == "\\", index + 1 < rest.endIndex { index += 1 }
        value.append(rest[index])
        index += 1
      }
      return nil
    }

    private static func list(_ rest: inout ArraySlice<Character>) -> String? {
      guard rest.first == "[" else { return nil }
      var items: [String] = []
      rest = rest.dropFirst()
      while true {
        rest = rest.drop { $0 == " " || $0 == "," }
        if rest.first == "]" {
          rest = rest.dropFirst()
          return items.joined(separator: ",")
        }
        guard let item = string(&rest) else { return nil }
        items.append(item)
      }
    }
  }
}
