import DSL
import Foundation

/// An entry that was typed at the prompt: it runs, and then belongs to a cell.
struct TypedEntry {
  private let script: CheckedScript
  private let state: WorkbenchState

  init(_ script: CheckedScript, _ state: WorkbenchState) {
    self.script = script
    self.state = state
  }

  /// Runs it, and adds what of it has run to the session's cells. Markers in it open cells.
  func run() -> RunOutcome {
    state.cells.adopt(script)
    var keys = [state.cells.currentKey]
    for case .cell(let marker) in script.script.items {
      keys.append(state.cells.document.append(marker))
    }
    var stepKeys: [Int: Int] = [:]
    let outcome = SessionRunner(state: state).run(script, cells: keys) { step in
      stepKeys[step.range.start] = state.cells.currentKey
    }
    let failed = outcome.failures.first { !$0.isInterruption }?.step.range.start
    var (key, marker) = (keys[0], 0)
    for item in script.script.items {
      if let failed, item.range.end > failed { break }
      if case .cell = item {
        marker += 1
        key = keys[marker]
      }
      guard let text = text(of: item) else { continue }
      // A command such as `cell` chooses where what follows it belongs.
      key = stepKeys[item.range.start] ?? key
      state.cells.addLines(text, key: key)
    }
    if failed == nil { journalRemarks(key: key) }
    if outcome.failures.contains(where: \.isInterruption) {
      state.cells.finish(key: key, .stopped)
    }
    return outcome
  }

  /// Comments behind the last command are remarks of their own, as `note` makes them.
  private func journalRemarks(key: Int) {
    let items = script.script.items
    let tail = items.reversed().prefix { if case .comment = $0 { true } else { false } }
    for case .comment(let comment) in tail.reversed() where !comment.isTrailing {
      let text = "#\(comment.text)"
      state.journal.append(
        JournalRecord(
          number: state.journal.records.count + 1, time: Date(), typed: text, milliseconds: 0,
          entry: JournalEntry(
            verb: "note", text: text, effect: .annotation, cell: key)))
    }
  }

  private func text(of item: Item) -> String? {
    let text = script.script.source.text(in: item.range)
    switch item {
    case .cell: return nil
    case .comment(let comment): return comment.isTrailing ? nil : text
    case .statement(.version): return nil
    case .statement(.parameter): return text
    case .statement:
      let steps = script.steps.filter {
        item.range.start <= $0.range.start && $0.range.end <= item.range.end
      }
      guard steps.contains(where: Self.isWork) else { return nil }
      if steps.count == 1, steps[0].invocation.name == "note" {
        return "# " + steps[0].invocation.requiredString("text")
      }
      return text
    }
  }

  /// Whether a command belongs to the work: not what concerns the session, nor what only tells about
  /// the program.
  private static func isWork(_ step: Step) -> Bool {
    switch step.invocation.effect {
    case .change, .check, .annotation: true
    case .look: !step.invocation.signature.reads.isEmpty
    case .session, .process: false
    }
  }
}
