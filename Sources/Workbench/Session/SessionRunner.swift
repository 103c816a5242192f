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
  /// - Parameter announce: told of each step before it runs.
  func run(_ script: CheckedScript, announce: @escaping (Step) -> Void = { _ in }) -> RunOutcome {
    var started = ContinuousClock.now
    let observer = RunObserver(
      willRun: { step in
        announce(step)
        SignalCenter.clearInterrupts()
        state.canonicalText = step.invocation.canonicalText
        state.onlyLooked = false
        started = .now
      },
      didRun: { step in
        record(step, .ok, since: started, in: script.script.source)
      },
      didFail: { failure in
        record(
          failure.step, failure.isInterruption ? .interrupted : .failed, since: started,
          in: script.script.source, error: failure.diagnostic.message)
      })
    return Interpreter(table: CommandSet.table).run(script, in: state, observer: observer)
  }

  /// Puts a step into the journal, with the slots that it really touched.
  private func record(
    _ step: Step, _ status: JournalEntry.Status, since start: ContinuousClock.Instant,
    in source: Source, error: String? = nil
  ) {
    // A command may have made implicit values explicit; its slots are then those of that text.
    let isChanged = state.canonicalText != step.invocation.canonicalText
    let explicit =
      isChanged
      ? try? Binder(vocabulary: CommandSet.table.vocabulary).bind(line: state.canonicalText) : nil
    var entry = JournalEntry(
      explicit ?? step.invocation, status: status,
      savedText: isChanged ? state.canonicalText : nil, cell: step.cell)
    if state.onlyLooked { entry.effect = .look }
    let seconds = start.duration(to: .now) / .seconds(1)
    if state.showsTiming {
      let text = "\(step.invocation.name): \(NumberText.duration(seconds))"
      state.console.message(state.console.messageStyle(text, .faint))
    }
    state.journal.append(
      JournalRecord(
        number: state.journal.records.count + 1, time: Date(), typed: source.text(in: step.range),
        milliseconds: Int((seconds * 1000).rounded()), error: error, entry: entry))
  }
}
