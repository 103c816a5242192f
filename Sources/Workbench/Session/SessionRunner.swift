import DSL
import Foundation

/// Runs checked commands in the state, one after the other, and keeps the journal.
///
/// The prompt, `-c`, standard input and replay all run commands through here, so that a command
/// means the same in each.
struct SessionRunner {
  let table: CommandTable<WorkbenchState>
  let state: WorkbenchState
  private let interpreter: Interpreter<WorkbenchState>

  init(table: CommandTable<WorkbenchState>, state: WorkbenchState) {
    self.table = table
    self.state = state
    interpreter = Interpreter(table: table)
  }

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
    return interpreter.run(script, in: state, observer: observer)
  }

  /// Puts a step into the journal, with the slots that it really touched.
  private func record(
    _ step: Step, _ status: CommandStatus, since start: ContinuousClock.Instant, in source: Source,
    error: String? = nil
  ) {
    var invocation = step.invocation
    // A command may have made implicit values explicit; its slots are then those of the new text.
    if state.canonicalText != invocation.canonicalText,
      let bound = try? Binder(vocabulary: table.vocabulary).bind(line: state.canonicalText)
    {
      invocation = bound
    }
    let seconds = start.duration(to: .now) / .seconds(1)
    state.journal.append(
      JournalEntry(
        number: state.journal.entries.count + 1, time: Date(), text: source.text(in: step.range),
        canonical: state.canonicalText, status: status,
        milliseconds: Int((seconds * 1000).rounded()),
        effect: state.onlyLooked ? .look : invocation.effect,
        reads: invocation.reads.map(\.name), writes: invocation.writes.map(\.name), error: error))
  }
}
