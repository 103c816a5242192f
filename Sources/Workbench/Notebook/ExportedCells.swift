import DSL

/// A cell of a session or of a script, as exports show it.
struct SessionCell {
  /// A line of it.
  enum Line {
    case comment(String)
    case command(JournalEntry)

    /// The line as a script would hold it.
    var text: String {
      switch self {
      case .comment(let text): "# " + text
      case .command(let entry): entry.savedText ?? entry.text
      }
    }
  }

  var title = ""
  /// Whether it holds text, not commands.
  var isText = false
  var tags: [String] = []
  var lines: [Line] = []

  /// Its commands.
  var entries: [JournalEntry] {
    lines.compactMap { if case .command(let entry) = $0 { entry } else { nil } }
  }

  /// The text of a cell of text.
  var markdown: String {
    lines.map { line in
      if case .comment(let text) = line { text } else { line.text }
    }.joined(separator: "\n")
  }
}

/// Sessions and scripts as cells.
enum ExportedCells {
  /// What a session did and what succeeded: its work and its looks, without what concerned the
  /// session itself; in the session's cells where it has some, else cut where a part ends.
  static func of(_ records: [JournalRecord], _ document: CellDocument) -> [SessionCell] {
    let entries = records.map(\.entry).filter { entry in
      !entry.isUndone && entry.status != .failed
        && (entry.status == .ok || entry.savedText != nil)
        && ![.session, .process].contains(entry.effect)
    }
    var builder = Builder(document: document)
    for entry in entries { builder.add(entry) }
    return builder.finished()
  }

  private struct Builder {
    let document: CellDocument
    private var cells: [SessionCell] = []
    private var current = SessionCell()
    private var previous: JournalEntry?
    /// The places of the cells of text that are not written yet.
    private var texts: [Int]

    init(document: CellDocument) {
      self.document = document
      texts = document.cells.indices.filter { document.cells[$0].isMarkdown }
    }

    mutating func add(_ entry: JournalEntry) {
      if let previous, previous.cell != entry.cell {
        open(entry.cell)
      } else if previous == nil, entry.cell != document.cells[0].key {
        open(entry.cell)
      } else if document.cells.count == 1, ExportedCells.startsPart(entry, previous) {
        close()
      }
      current.lines += entry.comments.map { .comment(ExportedCells.withoutSign($0)) }
      if entry.verb == "note" {
        addNote(entry)
      } else {
        if current.isText { close() }
        current.lines.append(.command(entry))
      }
      previous = entry
    }

    mutating func finished() -> [SessionCell] {
      close()
      texts.forEach { addText($0) }
      return cells
    }

    /// A remark by itself is a text between commands; within a cell it stays a comment.
    private mutating func addNote(_ entry: JournalEntry) {
      if document.cells.count == 1, !current.isText {
        close()
        current.isText = true
      }
      let text = entry.text.hasPrefix("#") ? entry.text : "# " + ExportedCells.firstWord(of: entry)
      current.lines.append(.comment(ExportedCells.withoutSign(text)))
    }

    private mutating func open(_ key: Int) {
      close()
      guard let index = document.index(ofKey: key) else { return }
      for text in texts where text < index { addText(text) }
      texts.removeAll { $0 < index }
      current.title = document.cells[index].title
      current.tags = document.cells[index].tags
    }

    private mutating func close() {
      if !current.lines.isEmpty { cells.append(current) }
      current = SessionCell()
    }

    private mutating func addText(_ index: Int) {
      var cell = SessionCell(title: document.cells[index].title, isText: true)
      cell.lines = document.cells[index].text.split(
        separator: "\n", omittingEmptySubsequences: false
      ).map { .comment(ExportedCells.withoutSign(String($0))) }
      cells.append(cell)
    }
  }

  /// A comment without its `#`.
  private static func withoutSign(_ line: String) -> String {
    let text = line.hasPrefix("#") ? line.dropFirst() : Substring(line)
    return String(text.hasPrefix(" ") ? text.dropFirst() : text)
  }

  /// The first value that a command takes by its place, without quotes.
  private static func firstWord(of entry: JournalEntry) -> String {
    let bound = try? Binder(vocabulary: CommandSet.table.vocabulary).bind(line: entry.text)
    return bound?.positionals.first?.text ?? ""
  }

  /// Where a session without cells of its own is cut: behind a training and behind figures.
  private static func startsPart(_ entry: JournalEntry, _ previous: JournalEntry?) -> Bool {
    guard let before = previous?.verb else { return false }
    return ["train", "resume"].contains(before) || (before == "plot" && entry.verb != "plot")
  }

  /// The cells of a checked script, its loops unrolled and its parameters filled in.
  static func of(_ script: CheckedScript) -> [SessionCell] {
    script.script.cells.map { source in
      var cell = SessionCell(title: source.marker?.title ?? "")
      cell.isText = source.marker?.isMarkdown ?? false
      cell.tags = source.marker?.tags ?? []
      for item in source.items {
        switch item {
        case .comment(let comment) where !comment.isTrailing && !comment.text.hasPrefix("!"):
          let text = comment.text
          cell.lines.append(.comment(text.hasPrefix(" ") ? String(text.dropFirst()) : text))
        case .statement(let statement):
          let range = statement.range
          let steps = script.steps.filter {
            range.start <= $0.range.start && $0.range.end <= range.end
          }
          cell.lines += steps.map { .command(JournalEntry($0.invocation, status: .ok)) }
        default: break
        }
      }
      return cell
    }.filter { !$0.lines.isEmpty || ($0.isText && !$0.title.isEmpty) }
  }
}
