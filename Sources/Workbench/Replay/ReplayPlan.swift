import DSL
import Foundation
import Model

/// `--plan`: what a replay would do, command by command, without doing it.
///
/// Data and networks are read, so that the numbers of images and parameters are known; where no run
/// tells how fast a network trains, a step or two of a copy are timed. Nothing is trained and nothing
/// is written.
struct ReplayPlan {
  private let script: CheckedScript
  private let options: ReplayOptions
  private let state: WorkbenchState
  private let selection: CellSelection

  init(_ script: CheckedScript, _ options: ReplayOptions, _ state: WorkbenchState) throws {
    self.script = script
    self.options = options
    self.state = state
    selection = try CellSelection(options.selection, in: script.script)
  }

  /// Prints the table.
  ///
  /// - Returns: the exit code: 0, or that of data or weights that cannot be read.
  func show() throws -> Int32 {
    try Requirements.check(script, state)
    state.replay.isPlan = true
    var keys = KeyMaker(script.script)
    var ledger = ReplayLedger(name: options.ledgerName ?? "", output: state.places.output)
    let isKnown = options.ledgerName != nil && ledger.read()
    let reuse = Reuse(ledger: ledger, script: script, state: state)
    let estimates = TrainingEstimates(runs: state.places.runs)
    let bench = ShortBench()
    var rows: [[Table.Cell]] = []
    var total = (seconds: 0.0, isKnown: true, bytes: 0)
    for step in script.steps {
      let role = selection.role(ofCell: step.cell)
      if case .none = role { continue }
      let kind = StepKind(step.invocation)
      if kind == .setup, step.invocation.name != "checkpoint" {
        if let code = setUp(step) { return code }
        keys.passed(step, state)
        continue
      }
      guard kind == .training || kind == .look else {
        if kind == .setup { keys.passed(step, state) }
        continue
      }
      let subject = keys.subject(of: step)
      let key = keys.key(of: step, state)
      keys.passed(step, key: key, state)
      if case .standIn = role {
        rows.append(row(step, "left out", "its cell was not chosen", nil, 0))
        continue
      }
      let action = isKnown ? reuse.action(step, key, subject: subject) : .run(because: nil)
      let (verb, why) = Self.words(action)
      var estimate: TrainingEstimates.Estimate?
      // How long a `resume` or a `fork` takes, only its run knows.
      if step.invocation.name == "train", let model = state.model, let data = state.data {
        estimate = try? estimates.estimate(
          state.effectiveValues(step.invocation), model, data,
          doneSteps: doneSteps(action), bench, state)
      }
      switch action {
      case .run, .goOn:
        if kind == .training {
          total.seconds += estimate?.seconds ?? 0
          total.isKnown = total.isKnown && estimate?.seconds != nil
          total.bytes += estimate?.bytes ?? 0
        }
        let remark = kind == .training ? Self.remark(on: estimate) : nil
        rows.append(
          row(
            step, verb, [why, remark ?? ""].filter { !$0.isEmpty }.joined(separator: "; "),
            estimate?.seconds, estimate?.bytes ?? 0))
      case .reuse, .restore, .passOver: rows.append(row(step, verb, why, nil, 0))
      }
    }
    state.console.print(
      Table(
        [
          .init("cell"), .init("command"), .init("would"), .init("why"),
          .init("time", key: "seconds", .right), .init("disk", key: "bytes", .right),
        ], rows: rows))
    sayTotal(total)
    return 0
  }

  private func sayTotal(_ total: (seconds: Double, isKnown: Bool, bytes: Int)) {
    var text = "trainings: "
    text += total.isKnown ? "" : "at least "
    text += NumberText.duration(total.seconds)
    if !total.isKnown {
      text +=
        " (neither a run of the same network, input-size and batch-size nor a short bench tells "
        + "the speed of all)"
    }
    if total.bytes > 0 {
      let free = Machine.freeDisk(at: state.places.output).map(NumberText.bytes) ?? "unknown"
      text += "; checkpoints: \(NumberText.bytes(total.bytes)), free: \(free)"
    }
    state.console.note(text)
    if let limit = options.timeLimit, total.seconds > limit {
      state.console.note(
        "the time limit stops it after \(NumberText.duration(limit)); --resume goes on")
    }
  }

  /// Runs a command that reads data, networks or settings, without its words.
  ///
  /// - Returns: the exit code if it failed.
  private func setUp(_ step: Step) -> Int32? {
    state.console.isMuted = true
    defer { state.console.isMuted = false }
    let outcome = SessionRunner(state: state).run(script, steps: [step])
    guard let failure = outcome.failures.first else { return nil }
    let renderer = Renderer(usesColor: state.console.messageStyle.isColored)
    state.console.message(
      renderer.render(failure.diagnostic, in: script.script.source).trimmingNewline)
    return failure.exitCode
  }

  private func doneSteps(_ action: ReplayAction) -> Int {
    guard case .goOn(let run, _) = action else { return 0 }
    return run.checkpoints.list().first { $0.isLast }?.step ?? 0
  }

  /// Where the time of a training comes from, unless an earlier run tells it.
  private static func remark(on estimate: TrainingEstimates.Estimate?) -> String? {
    guard let estimate else { return "its speed is not known" }
    if estimate.seconds == nil { return ShortBench.tooLarge }
    return estimate.isBenched ? "time from a short bench" : nil
  }

  private static func words(_ action: ReplayAction) -> (verb: String, why: String) {
    switch action {
    case .run(let reason): (reason == nil ? "run" : "re-run", reason ?? "")
    case .reuse: ("reuse", "nothing it follows from has changed")
    case .restore(let run, _): ("reuse", "run '\(run.name)' is finished")
    case .passOver(let run): ("reuse", "run '\(run.name)' went on")
    case .goOn(let run, _): ("go on", "run '\(run.name)' was stopped")
    }
  }

  private func row(
    _ step: Step, _ verb: String, _ why: String, _ seconds: Double?, _ bytes: Int
  ) -> [Table.Cell] {
    let cell = step.cell > 0 ? "\(step.cell)" : ""
    return [
      .init(cell), .init(step.invocation.canonicalText), .init(verb), .init(why),
      .init(seconds: seconds),
      bytes > 0 ? .init(.integer(bytes), text: NumberText.bytes(bytes)) : .blank,
    ]
  }
}
