import DSL
import Foundation
import Model

/// The text of a saved session: a header, the parameters, then the kept commands in their cells.
struct SessionScript {
  /// What stands on the lines behind the header.
  private(set) var lines: [String] = []
  /// The names that `${name}` mentions in the commands.
  private var mentioned: Set<String> = []

  /// The commands of a slice, each in its cell with the comments before it.
  ///
  /// - Parameters:
  ///   - seed: the seed to state first; nil where the commands state it.
  ///   - expectations: checks for the end.
  init(
    _ slice: Slice, cells: SessionCells, seed: UInt64?, offered: [OfferedParameter],
    expectations: [String]
  ) {
    var body = Body(document: cells.document)
    for line in slice.lines {
      let text = offered.reduce(line.text) { $1.replaced(in: $0) }
      body.add(text, comments: line.comments, cell: line.cell)
    }
    body.finish()
    for text in slice.lines.map(\.text) { mentioned.formUnion(Self.names(in: text)) }
    var declarations = cells.parameters.filter { mentioned.contains(normalized($0.name)) }
      .map(\.parameter.declaration)
    declarations += offered.map(\.declaration)
    let head = declarations + (seed.map { ["seed \($0)"] } ?? [])
    lines = head
    if !head.isEmpty, !body.lines.isEmpty, body.lines.first?.isEmpty == false, !declarations.isEmpty
    {
      lines.append("")
    }
    lines += body.lines
    if !expectations.isEmpty { lines += [""] + expectations }
  }

  /// The whole file.
  func text(summary: String, _ state: WorkbenchState) -> String {
    Self.file(lines, summary: summary, state)
  }

  /// A file of these lines, with the header that says where it comes from.
  static func file(_ lines: [String], summary: String, _ state: WorkbenchState) -> String {
    let commit = ProgramVersion.commit.map { " (commit \($0.prefix(7)))" } ?? ""
    let environment = EnvironmentRecord(
      version: ProgramVersion.number, git: nil, threads: Hyperparameters.threadCount(state.values))
    let header = [
      "#!/usr/bin/env -S workbench replay",
      "version 1",
      "# saved \(DateText.universal(Date())) by workbench \(ProgramVersion.number)\(commit)"
        + " from session \(state.journal.session)",
      "# kept: \(summary)",
      "# env: \(environment.kernel) \(environment.architecture), \(environment.processor), "
        + "\(environment.threads) threads, swift \(environment.swift)",
      "",
    ]
    return (header + lines).joined(separator: "\n") + "\n"
  }

  /// The names that commands mention as `${name}`.
  static func names(in text: String) -> [String] {
    text.matches(of: /\$\{([^}]+)\}/).map { normalized(String($0.1)) }
  }
}

private func normalized(_ name: String) -> String { name.lowercased().replacing("_", with: "-") }

/// The commands with the markers of their cells.
private struct Body {
  private(set) var lines: [String] = []
  private let document: CellDocument
  /// The markdown cells that are not written yet.
  private var pendingText: [Int]
  private var written: Set<Int> = []
  private var cell = 0
  private var verb: Substring = ""

  init(document: CellDocument) {
    self.document = document
    pendingText = document.cells.indices.filter { document.cells[$0].isMarkdown }
  }

  mutating func add(_ text: String, comments: [String], cell key: Int) {
    if key != cell {
      open(key)
    } else if startsPart(text) {
      separate()
    }
    lines += comments
    lines.append(text.hasPrefix("note ") ? "# " + text.dropFirst("note ".count) : text)
    verb = text.prefix { $0 != " " }
  }

  mutating func finish() {
    for index in pendingText { write(document.cells[index], text: true) }
    pendingText = []
  }

  /// Opens a cell, behind the texts that stand before it.
  private mutating func open(_ key: Int) {
    cell = key
    verb = ""
    guard let index = document.index(ofKey: key) else {
      // The cell was dropped; what it did was not.
      return write(CellDocument.Cell(key: key), text: false)
    }
    for text in pendingText where text < index { write(document.cells[text], text: true) }
    pendingText.removeAll { $0 < index }
    var cell = document.cells[index]
    // What ran again later stands in a cell of its own; an id is given once.
    if !written.insert(key).inserted { cell.id = nil }
    write(cell, text: false)
  }

  private mutating func write(_ cell: CellDocument.Cell, text: Bool) {
    separate()
    lines.append(cell.marker)
    if text, !cell.text.isEmpty { lines.append(cell.text) }
  }

  private mutating func separate() {
    if let last = lines.last, !last.isEmpty { lines.append("") }
  }

  /// Whether an empty line makes the script easier to read here.
  private func startsPart(_ text: String) -> Bool {
    let next = text.prefix { $0 != " " }
    return verb == "train" || verb == "resume" || (verb == "plot") != (next == "plot")
  }
}
