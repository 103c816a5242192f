import DSL
import Foundation
import Model

/// What a resumed replay does with a step, and why.
enum ReplayAction {
  /// It runs; the reason where an earlier replay did it too.
  case run(because: String?)
  /// What it printed is printed again.
  case reuse(ReplayLedger.Record)
  /// The state that its training left is taken from a checkpoint.
  case restore(RunDirectory, Checkpoint)
  /// Its run was gone on with by a later step, and nothing looks at it in between.
  case passOver(RunDirectory)
  /// Its training goes on where it was stopped.
  case goOn(RunDirectory, ReplayLedger.Record.Run)
}

/// Decides what of an earlier replay can be used.
struct Reuse {
  let ledger: ReplayLedger
  let script: CheckedScript
  let state: WorkbenchState

  /// What to do with a step that follows from `key`.
  func action(_ step: Step, _ key: ResultKey, subject: String) -> ReplayAction {
    guard let record = ledger.record(key, of: subject) else {
      let old = ledger.record(of: subject)
      return .run(because: old.flatMap { key.difference(from: $0.key, standard: Self.standard) })
    }
    if StepKind(step.invocation) == .training { return training(step, record) }
    return look(step, record)
  }

  private static func standard(_ setting: String) -> String? {
    HyperparameterKey.find(setting).map { $0.defaultValue.text }
  }

  private func look(_ step: Step, _ record: ReplayLedger.Record) -> ReplayAction {
    guard record.status == .done else { return .run(because: "the time was up") }
    guard let path = step.invocation.outputPath else { return .reuse(record) }
    let file = state.places.output(path)
    guard FileManager.default.fileExists(atPath: file.path) else {
      return .run(because: "\(path) is gone")
    }
    guard let digest = try? sha256(of: file), digest == record.file else {
      return .run(because: "\(path) is not as it was written")
    }
    return .reuse(record)
  }

  private func training(_ step: Step, _ record: ReplayLedger.Record) -> ReplayAction {
    guard let run = record.run,
      let directory = try? RunDirectory.open(run.name, in: state.places.runs)
    else { return .run(because: "its run is gone") }
    guard RunSummary(directory).started?.timeIntervalSince1970 == run.began else {
      return .run(because: "the run '\(run.name)' is another one now")
    }
    guard let last = try? directory.checkpoints.latest().checkpoint else {
      return .run(because: "no checkpoint of '\(run.name)' was written yet")
    }
    guard record.status == .done, let end = run.step else { return .goOn(directory, run) }
    if last.state.step == end { return .restore(directory, last) }
    if last.state.step < end { return .goOn(directory, run) }
    let kept = directory.checkpoints.list().first { $0.step == end }
    if let kept, let checkpoint = try? Checkpoint(contentsOf: kept.url) {
      return .restore(directory, checkpoint)
    }
    // The command ended before the last checkpoint: a later one went on.
    return isOnlyGoneOnWith(step, run.name)
      ? .passOver(directory)
      : .run(because: "the checkpoint of step \(end) is not kept")
  }

  /// Whether the next step that looks at a training's network or run is one that goes on with it.
  private func isOnlyGoneOnWith(_ step: Step, _ run: String) -> Bool {
    for later in script.steps.dropFirst(step.index + 1) {
      if later.invocation.name == "resume" { return later.namedRun ?? run == run }
      let slots = later.invocation.reads
      if slots.contains(where: { $0 == "model" || $0 == "run:current" || $0 == .run(run) }) {
        return false
      }
    }
    return false
  }
}
