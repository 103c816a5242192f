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
enum SessionCells {
  /// What a session did and what succeeded: its work and its looks, without what concerned the
  /// session itself.
  static func of(_ records: [JournalRecord]) -> [SessionCell] {
    var cells: [SessionCell] = []
    var current = SessionCell()
    func close() {
      if !current.lines.isEmpty { cells.append(current) }
      current = SessionCell()
    }
    let entries = records.map(\.entry).filter { entry in
      !entry.isUndone && entry.status != .failed
        && (entry.status == .ok || entry.savedText != nil)
        && ![.session, .process].contains(entry.effect)
    }
    let hasCells = Set(entries.map(\.cell)).count > 1 || entries.contains { $0.verb == "cell" }
    var previous: JournalEntry?
    for entry in entries {
      switch entry.verb {
      case "cell":
        close()
        current.title = firstWord(of: entry)
      case "note":
        if !current.isText { close() }
        current.isText = true
        current.lines.append(.comment(firstWord(of: entry)))
      default:
        let isNext =
          current.isText
          || (hasCells
            ? previous.map { $0.cell != entry.cell } ?? false : startsPart(entry, previous))
        if isNext {
          let title = current.lines.isEmpty ? current.title : ""
          close()
          current.title = title
        }
        current.lines.append(.command(entry))
      }
      previous = entry
    }
    close()
    return cells
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
