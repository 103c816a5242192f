extension Help {
  /// Everything that mentions all the words, best first; nil when nothing does.
  public func search(_ words: String) -> String? {
    let wanted = words.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
    guard !wanted.isEmpty else { return nil }
    let hits = entries.compactMap { entry in
      entry.rank(wanted).map { (rank: $0, entry: entry) }
    }.enumerated().sorted {
      ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset)
    }.map(\.element.entry)
    guard !hits.isEmpty else { return nil }
    let rows = hits.map { (term: $0.title, text: $0.summary) }
    var pages = hits.map(\.name)
    var seen: Set<String> = []
    pages = pages.filter { seen.insert($0).inserted }
    var suggestions = pages.prefix(2).map { Example("help \($0)", "about '\($0)'") }
    if suggestions.count < 2 { suggestions.append(Example("help", "all commands")) }
    return text(TextLayout.definitions(rows, width: width) + [""] + examples(suggestions))
  }

  /// Something that has a page.
  private struct Entry {
    let name: String
    let title: String
    let summary: String
    let body: String

    /// 0 when a word is in the name, 1 in the summary, 2 in the text; nil when one is nowhere.
    func rank(_ words: [String]) -> Int? {
      var worst = 0
      for word in words {
        if name.contains(word) { continue }
        if summary.lowercased().contains(word) {
          worst = max(worst, 1)
        } else if body.lowercased().contains(word) {
          worst = max(worst, 2)
        } else {
          return nil
        }
      }
      return worst
    }
  }

  private var entries: [Entry] {
    var entries: [Entry] = []
    var keys: Set<String> = []
    for signature in vocabulary.signatures {
      let body =
        signature.discussion + " " + signature.aliases.joined(separator: " ") + " "
        + signature.examples.map { "\($0.text) \($0.explanation)" }.joined(separator: " ")
      entries.append(
        Entry(
          name: signature.name, title: signature.name, summary: signature.summary, body: body))
      for key in signature.keys where keys.insert(key.name).inserted {
        entries.append(
          Entry(
            name: key.name, title: "\(key.name)=", summary: key.summary,
            body: key.discussion + " " + key.aliases.joined(separator: " ")))
      }
    }
    return entries
      + topics.map { Entry(name: $0.name, title: $0.name, summary: $0.summary, body: $0.text) }
  }
}
