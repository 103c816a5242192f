import DSL
import Foundation

/// Runs checked commands in the state, one after the other, and keeps the journal.
///
/// The prompt, `-c`, standard input and replay all run commands through here, so that a command
/// means the same in each.
struct SessionRunner {
  let state: WorkbenchState

  /// Runs a script up to its first failure.
  ///
  /// - Parameters:
  ///   - steps: which of its steps to run; all when nil.
  ///   - cells: the keys of the cells that the script's cells are; by default their numbers.
  ///   - announce: told of each step before it runs.
  func run(
    _ script: CheckedScript, steps: [Step]? = nil, cells: [Int]? = nil,
    announce: @escaping (Step) -> Void = { _ in }
  ) -> RunOutcome {
    // Commands can run others (`run 3`), whose traces are not theirs.
    let outer = (state.canonicalText, state.onlyLooked, state.untouchedSlots)
    defer { (state.canonicalText, state.onlyLooked, state.untouchedSlots) = outer }
    var started = ContinuousClock.now
    var pending: UndoHistory.Pending?
    var comments = script.script.leadingComments
    var scriptCell: Int?
    var loop: LoopPlace?
    var key = 0
    func finish(_ step: Step, _ status: JournalEntry.Status, error: String? = nil) {
      // A loop repeats its commands, not the remarks before them.
      let own = comments.removeValue(forKey: step.range.start) ?? []
      if loop?.holds(step) != true { loop = LoopPlace(around: step, in: script) }
      let trace = loop?.trace(of: step, value: state.cells.scope.value)
      let entry = record(
        step, status, since: started, in: script.script.source, cell: key, comments: own,
        loop: trace, error: error)
      guard let undo = state.undo, let pending else { return }
      if status == .failed {
        undo.rollBack(pending, state)
      } else {
        undo.commit(pending, entry, record: state.journal.records.count, state)
      }
    }
    let observer = RunObserver(
      willRun: { step in
        // A marker chooses the cell, and so do commands such as `cell`.
        if step.cell != scriptCell {
          scriptCell = step.cell
          state.cells.currentKey = cells?[step.cell] ?? step.cell
        }
        key = state.cells.currentKey
        announce(step)
        SignalCenter.clearInterrupts()
        state.canonicalText = step.invocation.canonicalText
        state.onlyLooked = false
        state.untouchedSlots = []
        pending = SessionRunner.mayBeUndone(step) ? state.undo?.begin(step.invocation, state) : nil
        state.journal.noteStart(step.invocation.canonicalText)
        started = .now
      },
      didRun: { step in finish(step, .ok) },
      didFail: { failure in
        finish(
          failure.step, failure.isInterruption ? .interrupted : .failed,
          error: failure.diagnostic.message)
      })
    return Interpreter(table: CommandSet.table).run(
      script, steps: steps, in: state, observer: observer)
  }

  /// Whether a command can change something that `undo` puts back: looks cannot, and `undo`, `run`
  /// and `step` are taken back by what they did.
  private static func mayBeUndone(_ step: Step) -> Bool {
    switch step.invocation.effect {
    case .change, .annotation: true
    case .session: CellCommands.changingCells.contains(step.invocation.name)
    case .look, .check, .process: false
    }
  }

  /// Puts a step into the journal, with the slots that it really touched.
  private func record(
    _ step: Step, _ status: JournalEntry.Status, since start: ContinuousClock.Instant,
    in source: Source, cell: Int, comments: [String], loop: JournalEntry.Loop?,
    error: String? = nil
  ) -> JournalEntry {
    // A command may have made implicit values explicit; its slots are then those of that text.
    let isChanged = state.canonicalText != step.invocation.canonicalText
    let explicit =
      isChanged
      ? try? Binder(vocabulary: CommandSet.table.vocabulary).bind(line: state.canonicalText) : nil
    var entry = JournalEntry(
      explicit ?? step.invocation, status: status,
      savedText: isChanged ? explicit?.canonicalText ?? state.canonicalText : nil, cell: cell)
    if state.onlyLooked { entry.effect = .look }
    entry.reads.removeAll(where: state.untouchedSlots.contains)
    entry.writes.removeAll(where: state.untouchedSlots.contains)
    entry.comments = comments
    entry.template = template(of: step)
    entry.loop = loop
    let seconds = start.duration(to: .now) / .seconds(1)
    if state.showsTiming {
      let text = "\(step.invocation.name): \(NumberText.duration(seconds))"
      state.console.message(state.console.messageStyle(text, .faint))
    }
    let milliseconds = Int((seconds * 1000).rounded())
    if entry.effect != .session, entry.effect != .process, status != .failed {
      state.cells.note(
        entry, key: cell, before: state.journal.slotKeys, milliseconds: milliseconds)
    }
    state.journal.append(
      JournalRecord(
        number: state.journal.records.count + 1, time: Date(), typed: source.text(in: step.range),
        milliseconds: milliseconds, error: error, entry: entry))
    return entry
  }

  /// How a command says itself with parameters; nil where it mentions none, or a loop's variables,
  /// which no other line knows.
  private func template(of step: Step) -> JournalEntry.Template? {
    let names = step.invocation.references
    guard !names.isEmpty, step.variables.isEmpty else { return nil }
    var values: [String: String] = [:]
    for name in names { values[name] = state.cells.scope.value(of: name) }
    return JournalEntry.Template(text: step.invocation.canonicalTemplate, values: values)
  }
}
