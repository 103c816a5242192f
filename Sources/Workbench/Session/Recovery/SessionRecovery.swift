import DSL
import Foundation
import Model

/// Brings a session back that ended in a crash: what is quick is done again, what was trained is
/// taken from its checkpoints.
struct SessionRecovery {
  let recorded: RecordedSession
  let state: WorkbenchState

  /// Rebuilds the session's state, journal and cells in this one.
  ///
  /// - Throws: a failure if this session has already done something, or works in another folder.
  func run() throws {
    guard !state.journal.records.contains(where: { $0.entry.effect == .change }) else {
      throw CommandError(
        "this session has already changed something",
        hint: "start the program anew and type 'recover' first")
    }
    if let place = recorded.place, place.output != state.places.output.path {
      throw CommandError(
        "the session \(recorded.name) worked in \(place.output)",
        hint: "start the program there: cd '\(place.output)'")
    }
    let entries = recorded.records.map(\.entry)
    restoreCells()
    var restored = 0
    var problems: [String] = []
    for record in recorded.records where !record.entry.isUndone {
      do {
        if try restore(record.entry) { restored += 1 }
      } catch {
        let text = (error as? any CommandFailure)?.message ?? String(describing: error)
        problems.append("'\(record.entry.text)': \(text)")
      }
    }
    for record in recorded.records { state.journal.append(renumbered(record)) }
    state.savedCommands = min(recorded.savedCommands, entries.count)
    adoptUnfinished()
    recorded.markAsRecovered()
    for problem in problems { state.console.warn("not restored: \(problem)") }
    state.console.print(
      "recovered \(recorded.records.count) commands of session \(recorded.name)"
        + (problems.isEmpty ? "" : ", \(problems.count) of them without their effect"))
  }

  private func renumbered(_ record: JournalRecord) -> JournalRecord {
    var record = record
    record.number = state.journal.records.count + 1
    return record
  }

  private func restoreCells() {
    guard let cells = recorded.cells else { return }
    let script = Parser.parse(Source(name: "", text: cells.text))
    guard let document = CellDocument(script, keys: cells.keys) else { return }
    state.cells.replace(document)
  }

  /// Does a command again, or takes what it made from disk.
  ///
  /// - Returns: whether there was anything to restore.
  private func restore(_ entry: JournalEntry) throws -> Bool {
    guard entry.changesSlots else { return false }
    if let run = trainedRun(entry) {
      try adopt(run)
      return true
    }
    // Files that were written are still there.
    let isState = entry.writes.contains {
      $0.overlaps("params.*") || $0 == "data" || $0 == "model"
    }
    guard isState else { return false }
    let text = entry.savedText ?? entry.text
    let script = try ScriptChecking.checked(Source(name: recorded.name, text: text), as: .inline)
      .validated()
    for step in script.steps {
      state.canonicalText = step.invocation.canonicalText
      try CommandSet.table.command(named: step.invocation.name)?.run(step.invocation, state)
    }
    return true
  }

  private func trainedRun(_ entry: JournalEntry) -> String? {
    guard ["train", "resume", "fork"].contains(entry.verb) else { return nil }
    return entry.writes.lazy.compactMap { slot -> String? in
      guard slot.name.hasPrefix("run:"), slot != "run:current", !slot.isPattern else { return nil }
      return String(slot.name.dropFirst("run:".count))
    }.first
  }

  /// Makes the state that of a run as its last checkpoint has it.
  private func adopt(_ run: String) throws {
    state.data = try RunAccess.data(of: run, state)
    state.model = try RunAccess.model(of: run, which: "last", weights: .raw, state)
    state.currentRun = run
  }

  /// The command that the crash interrupted: a training is there up to its last checkpoint.
  private func adoptUnfinished() {
    guard let (text, run, segment) = recorded.unfinished else { return }
    func isLost() { state.console.note("'\(text)' had just begun and is lost") }
    guard let run else { return isLost() }
    do {
      let directory = try RunAccess.directory(run, state)
      let (checkpoint, _) = try directory.checkpoints.latest()
      // A checkpoint from before knows nothing of what the command was to change.
      guard checkpoint.state.segment >= segment ?? 0 else { return isLost() }
      try adopt(run)
      let place = "epoch \(checkpoint.state.completedEpochs)"
      state.console.note(
        "'\(text)' was running; its run '\(run)' is there up to \(place): 'resume \(run)' goes on")
      discardLaterRows(of: directory, checkpoint)
      let stop = StopPoint(
        step: checkpoint.state.step, epochStep: checkpoint.state.epochStep,
        completedEpochs: checkpoint.state.completedEpochs)
      let binder = Binder(vocabulary: CommandSet.table.vocabulary)
      let typed = try binder.bind(line: text)
      var saved = stop.text(of: text)
      if typed.name == "train", !typed.isGiven("name") { saved += " name=\(run)" }
      if typed.name == "resume", !typed.isGiven("run") { saved += " \(run)" }
      let invocation = try binder.bind(line: saved)
      state.journal.append(
        JournalRecord(
          number: state.journal.records.count + 1, time: Date(), typed: text, milliseconds: 0,
          error: "the program ended",
          entry: JournalEntry(invocation, status: .interrupted, savedText: invocation.canonicalText)
        ))
    } catch {
      state.console.note(
        "'\(text)' was running; nothing of its run '\(run)' was saved yet: "
          + "the first checkpoint comes after the first epoch")
    }
  }

  /// A replay of the recovered command stops at the checkpoint, and so do the rows of its run. A run
  /// that someone trains meanwhile is left to them.
  private func discardLaterRows(of directory: RunDirectory, _ checkpoint: Checkpoint) {
    guard let lock = try? directory.lock() else { return }
    withExtendedLifetime(lock) {
      do {
        try TrainingRun.discardRows(after: checkpoint.state.completedEpochs, in: directory, state)
      } catch {
        let problem = (error as? any ModelError)?.message ?? String(describing: error)
        state.console.warn("metrics.csv keeps rows of later epochs: \(problem)")
      }
    }
  }
}
