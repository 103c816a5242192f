import DSL
import Foundation
import Model

/// A training with its folder: what `train` begins and `resume` goes on with.
final class TrainingRun {
  private let directory: RunDirectory
  private let lock: RunLock
  private var model: LoadedModel
  private let data: LoadedData
  private let settings: Hyperparameters
  /// The checkpoint to go on from; nil for a new run.
  private let checkpoint: Checkpoint?
  private let state: WorkbenchState

  private init(
    _ directory: RunDirectory, lock: RunLock, model: LoadedModel, data: LoadedData,
    settings: Hyperparameters, checkpoint: Checkpoint?, _ state: WorkbenchState
  ) {
    self.directory = directory
    self.lock = lock
    self.model = model
    self.data = data
    self.settings = settings
    self.checkpoint = checkpoint
    self.state = state
  }

  /// Makes the folder of a new run and writes down what is going to happen.
  static func create(
    _ name: String, model: LoadedModel, data: LoadedData, settings: Hyperparameters,
    _ state: WorkbenchState
  ) throws -> TrainingRun {
    // Everything that can be wrong is found before an old run is moved aside.
    try settings.checkBatches(images: data.source.train.count)
    let created = try RunDirectory.create(name, in: state.places.runs)
    if let old = created.movedAside {
      state.replay.movedAside[name] = old
      state.console.note("there was a run '\(name)'; it is now '\(old)'")
    }
    let run = TrainingRun(
      created.directory, lock: created.lock, model: model, data: data, settings: settings,
      checkpoint: nil, state)
    var weights: String?
    if case .file(_, let sha256) = model.weights { weights = sha256 }
    try run.writeDescription(weights: weights)
    return run
  }

  /// Opens a run to go on with it; loads its model and data where the session has others.
  ///
  /// - Parameters:
  ///   - model: the network to train, of the run's shape; nil for the run's own.
  ///   - change: changes the run's settings from now on.
  static func reopen(
    _ directory: RunDirectory, _ state: WorkbenchState, model given: LoadedModel? = nil,
    change: (inout HyperparameterValues) throws -> Void
  ) throws -> TrainingRun {
    let lock = try directory.lock()
    let description = try RunParameters(of: directory)
    let (checkpoint, passedOver) = try directory.checkpoints.latest()
    for problem in passedOver { state.console.warn(problem.message) }
    var values = checkpoint.state.parameters
    try change(&values)
    for key in state.forcedKeys { try values.set(key, to: state.values[key]) }
    let data = try RunAccess.data(of: directory, description, state)
    var model =
      try given ?? RunAccess.emptyModel(of: directory, description, reusing: state.model)
    let settings = Hyperparameters(values, for: model.variant.preprocessing)
    if given == nil { model.runPreprocessing = settings.preprocessing }
    try directory.checkpoints.rewind(to: checkpoint)
    try discardRows(after: checkpoint.state.completedEpochs, in: directory, state)
    let run = TrainingRun(
      directory, lock: lock, model: model, data: data, settings: settings, checkpoint: checkpoint,
      state)
    try run.writeDescription(weights: description.weights)
    return run
  }

  /// Takes the rows of epochs that the state of a run is not past out of its metrics.csv, and out of
  /// summary.csv where there is one, so that the files are those of a run which stopped there. The
  /// caller holds the run's lock.
  static func discardRows(
    after epoch: Int, in directory: RunDirectory, _ state: WorkbenchState
  ) throws {
    let moved = try MetricsFile.discardRows(
      after: epoch, in: directory.metrics, to: directory.discardedMetrics)
    guard moved > 0 else { return }
    if FileManager.default.fileExists(atPath: directory.summary.path) {
      try TimmSummary.write(directory)
    }
    let rows = moved == 1 ? "a row of metrics.csv lies" : "\(moved) rows of metrics.csv lie"
    state.console.note("\(rows) after the checkpoint: moved to metrics.discarded.csv")
  }

  /// Trains, shows and records, until the end or a stop.
  ///
  /// - Parameter live: makes the curves that are drawn meanwhile; they are a look and nothing more.
  /// - Throws: an interruption when the user stopped it, a failure with exit code 6 when the loss
  ///   became no number; in both cases the network holds the last good state.
  func train(stop: StopPoint, live: (RunDirectory) -> LivePlot? = { _ in nil }) throws {
    let isRehearsal = state.replay.isRehearsal
    let plan =
      isRehearsal
      ? try Rehearsal.training(data.source, settings, model, from: checkpoint)
      : (data: data.source, settings: settings)
    let trainer = try Trainer(
      network: model.network, data: plan.data, settings: plan.settings,
      checkpoints: directory.checkpoints, resuming: checkpoint,
      stopAt: isRehearsal ? nil : stop.step, stopAfter: isRehearsal ? nil : stop.epoch,
      pool: state.threadPool(settings.threads))
    let recorder = try RunRecorder(
      directory, description: "\(model.variant.qualifiedLoadText) on \(data.source.name)",
      metric: settings.evaluationMetric)
    let display = TrainingDisplay(
      state.console, metric: settings.evaluationMetric, live: live(directory))
    state.currentRun = directory.name
    state.journal.noteRun(directory.name, segment: (checkpoint?.state.segment ?? 0) + 1)
    adopt()
    let outcome: TrainingOutcome
    let (writesSummary, folder) = (settings.writesSummary, directory)
    do {
      defer { display.close() }
      // However short the time, a training comes on, so that slices of it come to an end.
      var hasProgressed = false
      func stopRequest() -> StopRequest {
        let request = self.state.stopRequest()
        return request == .none && hasProgressed && self.state.isOutOfTime ? .finishBatch : request
      }
      outcome = try trainer.run(stopRequest: stopRequest) { event in
        try recorder.handle(event)
        switch event {
        case .started: try self.state.trainingBegan(self.directory, self.settings)
        case .step, .epochFinished: hasProgressed = true
        default: break
        }
        if case .epochFinished = event, writesSummary { try TimmSummary.write(folder) }
        display.handle(event)
      }
    } catch {
      try? recorder.failed((error as? any ModelError)?.message ?? String(describing: error))
      throw error
    }
    try conclude(outcome)
  }

  /// The state's model and data become those of the run.
  private func adopt() {
    if model.trainedBy.last != directory.name { model.trainedBy.append(directory.name) }
    model.recalibration = nil
    state.model = model
    state.data = data
  }

  private func conclude(_ outcome: TrainingOutcome) throws {
    let folder = state.places.display(directory.url)
    switch outcome {
    case .finished(let report):
      state.console.print("\(RunText.finished(report)); \(folder)")
    case .diverged(let report):
      let error = TrainingError.diverged(report)
      throw CommandError(
        error.message, hint: error.advice, notes: ["everything up to there is in \(folder)"],
        exitCode: 6)
    case .stopped(let report):
      if report.reason != .stopAt, report.reason != .stopAfter {
        let stop = StopPoint(
          step: report.step, epochStep: report.epochStep, completedEpochs: report.epoch - 1)
        state.canonicalText = stop.text(of: state.canonicalText)
      }
      if report.reason == .abandoned {
        try Self.discardRows(after: report.epoch - 1, in: directory, state)
      }
      switch report.reason {
      case .stopAt, .stopAfter, .timeLimit:
        state.console.print("\(RunText.stopped(report)); 'resume \(directory.name)' goes on")
        if report.reason == .timeLimit, !state.isInteractive {
          throw CommandError(
            RunText.stopped(report), hint: headlessHint, exitCode: 124, isInterruption: true)
        }
      case .requested where SignalCenter.termination == nil && SignalCenter.interrupt == .none:
        throw CommandError(
          "the time is up: \(RunText.stopped(report))", hint: headlessHint,
          notes: ["everything is saved in \(folder)"], exitCode: 124, isInterruption: true)
      case .requested, .abandoned:
        let signal = SignalCenter.termination ?? SIGINT
        throw CommandError(
          RunText.stopped(report),
          hint: state.isInteractive ? "'resume', 'eval' and 'plot loss' work" : headlessHint,
          notes: ["everything is saved in \(folder)"],
          exitCode: 128 + signal, isInterruption: true)
      }
    }
  }

  private var headlessHint: String {
    "go on with: " + (state.resumeCommand ?? "workbench -c 'resume \(directory.name)'")
  }

  /// Writes params.json and env.json; `weights` is the digest of the file that training began with.
  private func writeDescription(weights: String?) throws {
    var description = RunParameters(
      model: model.variant.qualifiedName, weights: weights, data: data.source,
      parameters: settings.values)
    description.pooling = model.variant.pooling.ifNotMean
    let channels = model.variant.inputChannels
    description.inputChannels = channels == 3 ? nil : channels
    description.limit = data.request.limit
    description.reading = DataReading(data.request)
    description.classCount = model.classCount
    description.overrides = state.forcedKeys.isEmpty ? nil : state.forcedKeys.sorted()
    try description.write(to: directory)
    var environment = EnvironmentRecord(
      version: ProgramVersion.number, git: ProgramVersion.commit, threads: settings.threads)
    environment.dataDirectory = data.request.directory
    environment.classMap = data.request.classMap
    try AtomicFile.write(environment.json(), to: directory.environment)
  }
}
