import DSL
import Foundation
import Model

/// Writes the session as a script.
struct SessionSaving {
  /// What is written.
  enum Form {
    /// What mattered: the commands that rebuild what the session has made.
    case slice
    /// Everything, failed commands as comments.
    case raw
    /// Cells as they are written, whether they ran or not.
    case cells([Int])
  }

  var form = Form.slice
  /// Whether a file is replaced that this session did not write.
  var isForced = false
  /// Whether the observed metrics become demands.
  var expects = false
  /// The values that become parameters.
  var parameters: [String] = []
  let state: WorkbenchState

  /// Writes the file, and checks that it means what it should.
  func save(to url: URL) throws {
    try checkTarget(url)
    var (text, summary, kept) = try script()
    var checked = ScriptChecking.checked(Source(name: url.lastPathComponent, text: text), as: .file)
    var differing: [Slot]?
    if case .slice = form {
      differing = differences(checked, kept)
      if !checked.isSound || differing != [] {
        // What was typed at the prompt in a loop may be shorter than a script allows.
        (text, summary, kept) = try script(keepsLoops: false)
        checked = ScriptChecking.checked(
          Source(name: url.lastPathComponent, text: text), as: .file)
        differing = differences(checked, kept)
      }
    }
    // A saved script that would not run is a mistake of this program, unless cells that never ran
    // are saved; it is found here.
    checked = try checked.validated()
    try FileWriting.write(text, to: url, executable: true)
    state.savedFiles.insert(url.path)
    state.savedCommands = state.journal.records.count
    state.journal.noteSaved()
    state.console.note(summary)
    if let differing { state.console.note(Self.verdict(differing)) }
    state.console.print(
      "wrote \(state.places.display(url)); replay it: workbench replay \(state.places.display(url))"
    )
  }

  private func checkTarget(_ url: URL) throws {
    guard url.pathExtension == "wb" else {
      throw CommandError(
        "a session file ends in .wb, not '\(url.lastPathComponent)'",
        hint: "save \(url.lastPathComponent).wb", argument: "file")
    }
    guard
      isForced || state.savedFiles.contains(url.path)
        || !FileManager.default.fileExists(atPath: url.path)
    else {
      throw CommandError(
        "\(state.places.display(url)) exists, and this session did not write it",
        hint: "choose another name, or add --force", argument: "file")
    }
  }

  /// The file's text, what was left out, and the entries that it stems from.
  private func script(
    keepsLoops: Bool = true
  ) throws -> (text: String, summary: String, kept: [JournalEntry]) {
    let records = state.journal.records
    switch form {
    case .raw:
      let summary = "\(records.count) commands, all kept"
      return (SessionScript.file(Self.rawLines(records), summary: summary, state), summary, [])
    case .cells(let indices):
      var document = CellDocument()
      document.copy(indices, of: state.cells.document)
      let lines = document.text.split(separator: "\n", omittingEmptySubsequences: false)
      let summary = "\(indices.count) cells as they are written"
      return (
        SessionScript.file(lines.dropLast().map(String.init), summary: summary, state), summary, []
      )
    case .slice:
      // A parameter takes the place of a value in a command, not in a loop.
      let slice = slice(keepsLoops: keepsLoops && parameters.isEmpty)
      guard !slice.lines.isEmpty else {
        throw CommandError(
          "there is nothing to save yet", hint: "load data and a model, train, draw; then save")
      }
      let offered = try parameters.map { try OfferedParameter($0, in: slice.lines.map(\.text)) }
      let script = SessionScript(
        slice, cells: state.cells, seed: Self.needsSeed(slice) ? state.seed : nil,
        offered: offered, expectations: try expectations(slice))
      let kept = slice.lines.flatMap(\.entries).map { records[$0].entry }
      return (script.text(summary: slice.summary, state), slice.summary, kept)
    }
  }

  private func slice(keepsLoops: Bool) -> Slice {
    // A run whose folder is gone is not worth repeating.
    let runs = Set(RunDirectory.all(in: state.places.runs).map { Slot.run($0.name) })
    let slicer = Slicer(keepsLoops: keepsLoops) { slot in
      slot.name.hasPrefix("run:") && slot.name != "run:current" ? runs.contains(slot) : true
    }
    let scope = state.cells.scope
    return slicer.slice(state.journal.records.map { $0.entry.templated(scope.value) })
  }

  /// Whether the seed counts and nobody has given it.
  private static func needsSeed(_ slice: Slice) -> Bool {
    let kept = slice.lines.flatMap { line in
      line.text.split(whereSeparator: \.isNewline).map { $0.drop(while: \.isWhitespace) }
    }
    let uses = kept.contains { line in ["load ", "train", "data "].contains { line.hasPrefix($0) } }
    let gives = kept.contains { $0.hasPrefix("seed ") || $0.contains(" seed=") }
    return uses && !gives
  }

  private static func rawLines(_ records: [JournalRecord]) -> [String] {
    records.map { record in
      if let saved = record.entry.savedText, record.entry.status != .failed { return saved }
      if record.entry.status == .ok { return record.entry.text }
      return record.typed.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "#x \($0)" }.joined(separator: "\n")
    }
  }

  /// The last row of every run that the script makes, as demands.
  private func expectations(_ slice: Slice) throws -> [String] {
    guard expects else { return [] }
    let kept = slice.lines.flatMap(\.entries).map { state.journal.records[$0].entry }
    var names: [String] = []
    for slot in kept.flatMap(\.writes) where slot.name.hasPrefix("run:") && slot != "run:current" {
      let name = String(slot.name.dropFirst("run:".count))
      if !names.contains(name) { names.append(name) }
    }
    return try names.flatMap { name -> [String] in
      let run = try RunAccess.directory(name, state)
      let table = try MetricsTable(contentsOf: run.metrics)
      return ["train_loss", "eval_loss", "eval_top1"].compactMap { column in
        guard let value = table[column]?.last(where: { $0 != nil }) ?? nil else { return nil }
        return "expect \(column) == \(value) run=\(name)"
      }
    }
  }

  // MARK: The check

  /// Whether a script, run from nothing, leaves every slot as the session has it, in words.
  private static func verdict(_ differing: [Slot]) -> String {
    guard !differing.isEmpty else { return "this file reproduces the current state: yes" }
    return "this file reproduces the current state: not "
      + differing.map(\.name).joined(separator: ", ")
      + "; 'save FILE --raw' keeps every command"
  }

  /// The slots that the script, run from nothing, leaves otherwise than the session has them.
  private func differences(_ script: CheckedScript, _ kept: [JournalEntry]) -> [Slot] {
    var session = SlotKeys()
    var replayed = SlotKeys()
    var touched = kept
    let stated = script.steps.map { step in
      var entry = JournalEntry(step.invocation, status: .ok)
      // What a command really touches shows when it runs.
      if let index = touched.firstIndex(where: { ($0.savedText ?? $0.text) == entry.text }) {
        let original = touched.remove(at: index)
        (entry.reads, entry.writes) = (original.reads, original.writes)
      }
      return entry
    }
    let seed = stated.first { $0.text.hasPrefix("seed ") }
    let entries = state.journal.records.map(\.entry)
    // A seed that the script states though nobody set it is the one that was in force anyway.
    if let seed, !entries.contains(where: { $0.writes.contains("params.seed") }) {
      session.apply(seed)
    }
    entries.forEach { session.apply($0) }
    stated.forEach { replayed.apply($0) }
    let runs = Set(RunDirectory.all(in: state.places.runs).map { Slot.run($0.name) })
    return session.differences(from: replayed) { slot in
      if slot.name.hasPrefix("file:") { return false }
      return slot.name.hasPrefix("run:") && slot != "run:current" ? runs.contains(slot) : true
    }
  }
}

extension CellDocument {
  /// Takes over cells of another document; the preamble stays the preamble.
  fileprivate mutating func copy(_ indices: [Int], of other: CellDocument) {
    for index in indices {
      let cell = other.cells[index]
      if index == 0 {
        add(cell.text, toKey: 0)
      } else {
        let key = append(
          title: cell.title, id: cell.id, tags: cell.tags, isMarkdown: cell.isMarkdown,
          attributes: cell.attributes)
        add(cell.text, toKey: key)
      }
    }
  }
}
