import DSL
import Foundation
import Model

/// Runs the steps of a checked script without a person: chooses them, keeps account of them, uses what
/// an earlier replay has done, and says how to go on after a stop.
final class ReplayRun {
  private let state: WorkbenchState
  private let script: CheckedScript
  private let options: ReplayOptions
  private let renderer: Renderer
  private let selection: CellSelection
  private var ledger: ReplayLedger?
  private var keys: KeyMaker
  private var needs = StepNeeds()
  private var completed = 0
  private var exitCode: Int32 = 0
  /// Whether something was done that takes time, so that the next limit does not find nothing done.
  private var hasWorked = false

  /// - Throws: a failure with exit code 2 for cells that are not there.
  init(_ script: CheckedScript, _ options: ReplayOptions, _ state: WorkbenchState) throws {
    self.script = script
    self.options = options
    self.state = state
    renderer = Renderer(usesColor: state.console.messageStyle.isColored)
    selection = try CellSelection(options.selection, in: script.script)
    keys = KeyMaker(script.script)
    ledger = options.ledgerName.map { ReplayLedger(name: $0, output: state.places.output) }
  }

  /// The runs that the script's trainings have made or gone on with, in order.
  private(set) var runs: [String] = []

  /// Runs everything.
  ///
  /// - Returns: the process's exit code.
  func run() throws -> Int32 {
    try begin()
    for step in script.steps {
      if let code = stopCode() { return stopped(before: step, code) }
      switch selection.role(ofCell: step.cell) {
      case .none: continue
      case .standIn: try standIn(step)
      case .run:
        if try !perform(step) { return exitCode }
      }
    }
    return exitCode
  }

  private func begin() throws {
    state.replay.resumeCommand = ledger == nil ? nil : options.resumeCommand
    state.replay.deadline = options.timeLimit.map { ContinuousClock.now + .seconds($0) }
    try ReplaySelectionCheck.check(script, selection, state)
    guard ledger != nil else { return }
    if options.resumes || options.selection != CellSelection.Request() {
      let isKnown = ledger?.read() ?? false
      if !isKnown, options.resumes {
        state.console.note("there is no earlier replay in this folder: everything runs")
      }
    }
    try ledger?.write()
  }

  /// Whether the run must end before the next step.
  private func stopCode() -> Int32? {
    if let signal = SignalCenter.termination { return 128 + signal }
    if SignalCenter.isInterrupted { return 128 + SIGINT }
    return state.isOutOfTime && hasWorked ? 124 : nil
  }

  private func stopped(before step: Step, _ code: Int32) -> Int32 {
    let reason = code == 124 ? "the time is up" : "stopped"
    state.console.message("\(reason) before '\(text(of: step))'")
    sayHowToGoOn()
    return code
  }

  private func sayHowToGoOn() {
    guard let command = state.resumeCommand else { return }
    state.console.message(" go on with: \(command)")
  }

  // MARK: Steps

  /// Does a step, or takes over what an earlier replay has done of it.
  ///
  /// - Returns: whether the run goes on.
  private func perform(_ step: Step) throws -> Bool {
    if let obstacle = needs.obstacle(to: step) {
      state.console.message("\(label(step)): skipped, \(obstacle)")
      needs.lose(step, because: obstacle)
      return true
    }
    if !options.drawsPlots, Self.isDrawing(step.invocation) {
      state.console.note("\(label(step)): left out, --no-plot")
      return true
    }
    if state.replay.isRehearsal, Rehearsal.leavesOut(step.invocation) {
      state.console.note("\(label(step)): not tried")
      return true
    }
    let kind = StepKind(step.invocation)
    guard kind == .training || kind == .look else {
      announce(step)
      state.replay.stopsWorkAtDeadline = hasWorked
      guard execute(step) else { return goesOn(after: step) }
      keys.passed(step, state)
      needs.gain(step)
      return true
    }
    let subject = keys.subject(of: step)
    let key = keys.key(of: step, state)
    let isDone = kind == .training ? try train(step, key, subject) : try look(step, key, subject)
    keys.passed(step, key: key, run: kind == .training ? state.currentRun : nil, state)
    guard isDone else { return goesOn(after: step) }
    needs.gain(step)
    return true
  }

  private func train(_ step: Step, _ key: ResultKey, _ subject: String) throws -> Bool {
    switch action(step, key, subject) {
    case .reuse, .run(because: nil): announce(step)
    case .run(let reason?): announce(step, "re-run: \(reason)")
    case .restore(let run, let checkpoint):
      announce(step, "reused: run '\(run.name)' is finished")
      state.replay.continuation = .restore(run, checkpoint)
    case .passOver(let run):
      announce(step, "reused: run '\(run.name)' went on")
      state.replay.continuation = .passOver(run)
    case .goOn(let directory, let run):
      announce(step, "going on with run '\(directory.name)'")
      state.replay.continuation = .goOn(
        directory, settings: try settings(of: run, for: step.invocation))
    }
    let isContinued = state.replay.continuation != nil
    // What is only taken over must not use up the time of a slice.
    if case .restore = state.replay.continuation {
    } else if case .passOver = state.replay.continuation {
    } else {
      hasWorked = true
    }
    var record = ReplayLedger.Record(subject: subject, key: key, status: .begun)
    if isContinued { record.run = ledger?.record(key, of: subject)?.run }
    state.replay.trainingBegan = { [self] directory, settings in
      record.run =
        record.run
        ?? .init(
          name: directory.name,
          began: RunSummary(directory).started?.timeIntervalSince1970 ?? 0,
          settings: settings.values)
      try ledger?.keep(record)
    }
    defer {
      state.replay.trainingBegan = { _, _ in }
      state.replay.continuation = nil
    }
    guard execute(step) else { return false }
    if let name = state.currentRun {
      if !runs.contains(name) { runs.append(name) }
      let directory = try RunDirectory.open(name, in: state.places.runs)
      // A run that went on already keeps the step at which this command ended.
      if record.run?.step == nil {
        let last = directory.checkpoints.list().first { $0.isLast }
        record.run?.step = last?.step
      }
      record.status = .done
      try ledger?.keep(record)
    }
    return true
  }

  /// The settings with which a training goes on: those that it was begun with, and today's of what
  /// has no part in the result.
  private func settings(
    of run: ReplayLedger.Record.Run, for invocation: Invocation
  ) throws -> HyperparameterValues {
    var values = run.settings
    guard invocation.name == "train" else { return values }
    let today = state.effectiveValues(invocation)
    for key in HyperparameterKey.all where !KeyMaker.matters(key) {
      try values.set(key.name, to: today[key.name])
    }
    return values
  }

  private func look(_ step: Step, _ key: ResultKey, _ subject: String) throws -> Bool {
    switch action(step, key, subject) {
    case .reuse(let record):
      announce(step, "reused")
      state.console.write(record.text)
      completed += 1
      return true
    case .run(let reason?): announce(step, "re-run: \(reason)")
    default: announce(step)
    }
    // What took all of an earlier slice of time and was cut off comes to its end in this one.
    let wasCutOff = ledger?.record(key, of: subject)?.status == .begun
    state.replay.stopsWorkAtDeadline = hasWorked || !wasCutOff
    let isFirst = !hasWorked
    hasWorked = true
    var record = ReplayLedger.Record(subject: subject, key: key, status: .done)
    state.console.copy = ""
    defer { state.console.copy = nil }
    guard execute(step) else {
      if isFirst, exitCode == 124 {
        record.status = .begun
        try ledger?.keep(record)
      }
      return false
    }
    record.text = state.console.copy ?? ""
    if let path = step.invocation.outputPath {
      record.file = try? sha256(of: state.places.output(path))
    }
    try ledger?.keep(record)
    return true
  }

  private func action(_ step: Step, _ key: ResultKey, _ subject: String) -> ReplayAction {
    guard options.resumes, let ledger else { return .run(because: nil) }
    return Reuse(ledger: ledger, script: script, state: state).action(step, key, subject: subject)
  }

  /// Sets up what a step of a cell that is left out would have set up.
  private func standIn(_ step: Step) throws {
    switch StepKind(step.invocation) {
    case .setup:
      _ = execute(step)
      keys.passed(step, state)
    case .look: _ = keys.subject(of: step)
    case .other: break
    case .training:
      let subject = keys.subject(of: step)
      let key = keys.key(of: step, state)
      keys.passed(step, key: key, state)
      guard let name = step.namedRun,
        let run = try? RunDirectory.open(name, in: state.places.runs),
        let checkpoint = try? run.checkpoints.latest().checkpoint
      else {
        needs.lose(step, because: "'\(text(of: step))' was left out")
        return
      }
      needs.gain(step)
      announce(step, "left out; run '\(name)' as it is on disk")
      if let old = ledger?.record(of: subject), let difference = key.difference(from: old.key) {
        state.console.warn("run '\(name)' is not what the script trains now: \(difference)")
      }
      let model = step.invocation.name == "train" ? state.model : nil
      try TrainingContinuation.restore(run, checkpoint, model, state)
    }
  }

  /// Runs a step; says what went wrong.
  private func execute(_ step: Step) -> Bool {
    CrashScript.prepare(script, upTo: step, state.places)
    let outcome = SessionRunner(state: state).run(script, steps: [step])
    completed += outcome.completed
    if let failure = outcome.failures.first {
      let source = script.script.source
      state.console.message(renderer.render(failure.diagnostic, in: source).trimmingNewline)
      state.console.message(" \(place(of: step))")
      if exitCode == 0 { exitCode = failure.exitCode }
      if failure.exitCode == 1 { CrashScript.write(script, upTo: step, state) }
      if !failure.isInterruption, !options.keepsGoing { sayHowToGoOn() }
      isInterrupted = failure.isInterruption
      if isInterrupted { exitCode = failure.exitCode }
      needs.lose(step, because: "'\(text(of: step))' failed")
      return false
    }
    if let code = outcome.stopCode {
      isInterrupted = true
      exitCode = code
      return false
    }
    return true
  }

  private var isInterrupted = false

  private func goesOn(after step: Step) -> Bool {
    options.keepsGoing && !isInterrupted
  }

  private static func isDrawing(_ invocation: Invocation) -> Bool {
    guard let path = invocation.outputPath else { return invocation.name == "plot" }
    return (try? PlotFormat(path: path)).map { !$0.terminals.isEmpty } ?? false
      && invocation.signature.effect == .look
  }

  // MARK: Words

  private func announce(_ step: Step, _ remark: String? = nil) {
    let line = "\(label(step))\(remark.map { "  (\($0))" } ?? "")"
    state.console.note(state.console.messageStyle(line, .faint))
  }

  private func label(_ step: Step) -> String {
    "[\(step.index + 1)/\(script.steps.count)] \(text(of: step))"
  }

  private func text(of step: Step) -> String { script.script.source.text(in: step.range) }

  /// Where a step stands and how far the run came: `in cell 2 "Train" · 3 of 7 commands run`.
  private func place(of step: Step) -> String {
    let count = "\(completed) of \(script.steps.count) commands run"
    guard step.cell > 0, let cell = script.script.label(ofCell: step.cell) else { return count }
    return "in \(cell) · \(count)"
  }
}
