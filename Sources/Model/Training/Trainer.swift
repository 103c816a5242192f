import Foundation
public import Kernels

/// Trains a network: steps, evaluates, keeps checkpoints, and tells a listener.
///
/// Between two steps the whole state is `state`, the network's tensors and the optimizer's slots.
/// A checkpoint of it, continued in this or another process, gives the same bits as going on does,
/// whatever the number of threads and workers: the order of images, every augmentation and every
/// dropout mask are functions of (seed, epoch, image or step), and sums run in a fixed order.
public final class Trainer {
  /// The network that is trained.
  public let network: Network
  /// The resolved settings.
  public let settings: Hyperparameters
  /// Where training stands.
  public private(set) var state: TrainingState

  private let data: DataSource
  private let checkpoints: CheckpointStore
  private let stopAt: Int?
  private let stopAfter: Int?
  let step: TrainingStep
  private let evaluator: Evaluator
  private let pool: ThreadPool
  private var watch = Stopwatch()
  private var stopRequest: () -> StopRequest = { .none }
  private var listener: (TrainingEvent) throws -> Void = { _ in }

  /// Prepares a training: checks that settings, network and data fit, and plans all memory.
  ///
  /// - Parameters:
  ///   - network: its weights are trained in place; with a checkpoint they are replaced by its own.
  ///   - data: images to learn from and images to be judged by.
  ///   - settings: the resolved settings; when resuming, those of the checkpoint with what the user
  ///     changed, such as more epochs.
  ///   - checkpoints: where the state is kept.
  ///   - resuming: the checkpoint to go on from; nil for a new training.
  ///   - stopAt: the step, counted over the whole training, after which to stop as on a request.
  ///   - stopAfter: the epoch, counted from 1, after which to stop.
  ///   - pool: the threads that compute; by default as many as the settings say.
  /// - Throws: `HyperparameterError`, `TrainingError`, `ArchitectureError`, `CheckpointError`.
  public init(
    network: Network, data: DataSource, settings: Hyperparameters, checkpoints: CheckpointStore,
    resuming checkpoint: Checkpoint? = nil, stopAt: Int? = nil, stopAfter: Int? = nil,
    pool: ThreadPool? = nil
  ) throws {
    let blueprint = network.blueprint
    guard blueprint.classCount >= data.classNames.count else {
      throw TrainingError.classCount(network: blueprint.classCount, data: data.classNames.count)
    }
    try blueprint.checkImages()
    guard data.validation.count > 0 else { throw TrainingError.nothingToEvaluate(data.name) }
    if let conflict = settings.values.conflict { throw conflict }
    try settings.checkBatches(images: data.train.count)
    self.network = network
    self.data = data
    self.settings = settings
    self.checkpoints = checkpoints
    (self.stopAt, self.stopAfter) = (stopAt, stopAfter)

    var state = TrainingState(
      model: blueprint.variant.qualifiedName, classNames: data.classNames, dataName: data.name,
      dataFingerprint: data.fingerprint, parameters: settings.values)
    state.pooling = blueprint.variant.pooling.ifNotMean
    state.inputChannels = blueprint.inputChannels == 3 ? nil : blueprint.inputChannels
    if let checkpoint {
      try checkpoint.state.checkContinuation(by: state)
      state = checkpoint.state
      // Scores by another metric say nothing to a schedule that watches this one.
      if state.parameters["eval-metric"] != settings.values["eval-metric"] {
        state.scores = state.scores.map { _ in nil }
      }
      state.parameters = settings.values
    }
    if let stopAt, stopAt < state.step {
      throw TrainingError.stopBehind(stopAt: stopAt, step: state.step)
    }
    if let stopAfter, stopAfter < state.completedEpochs {
      throw TrainingError.stopAfterBehind(epoch: stopAfter, done: state.completedEpochs)
    }
    self.state = state
    let pool = pool ?? ThreadPool(threads: settings.threads)
    self.pool = pool
    step = try TrainingStep(network, settings: settings, pool: pool)
    evaluator = try Evaluator(
      network, transform: settings.evalTransform, workers: settings.workers, pool: pool)
    try checkpoint.map(restore)
  }

  // MARK: Running

  /// Trains until the end, a stop or a divergence.
  ///
  /// - Parameters:
  ///   - stopRequest: what the user wants; asked once or twice a batch, on this thread.
  ///   - listener: is told what happens, on this thread. What it throws ends the training where it
  ///     is; the last checkpoint stays.
  /// - Throws: what the listener throws, an image that cannot be read, a checkpoint that cannot be
  ///   written.
  public func run(
    stopRequest: @escaping () -> StopRequest = { .none },
    listener: @escaping (TrainingEvent) throws -> Void
  ) throws -> TrainingOutcome {
    self.stopRequest = stopRequest
    self.listener = listener
    defer {
      self.stopRequest = { .none }
      self.listener = { _ in }
    }
    let isNew = state.segment == 0
    state.segment += 1
    watch = Stopwatch()
    try listener(.started(plan))
    if settings.headEpochs > 0 { try listener(.phaseEntered(step.phase, epochs: phaseEpochs)) }
    if isInStages { try listener(.stageEntered(stage)) }
    if isNew { try save(isBest: false) }
    if state.step == stopAt { return try stop(.stopAt) }  // by hand, before its first step
    while state.completedEpochs < totalEpochs {
      if state.epochStep == 0 {
        if isOutOfSteps || isOutOfPatience { break }
        if state.completedEpochs == stopAfter { return try stop(.stopAfter) }
      }
      if let outcome = try runSteps() { return outcome }
      guard step.isNetworkFinite else { return try diverge(.weights, step: state.step) }
      switch try reportEpoch() {
      case .interrupted(let outcome): return outcome
      case .reported(let evaluation, let best):
        if state.epochStep == stepsPerEpoch {
          try completeEpoch(evaluation, best)
        } else {
          // The state stays within the epoch: with a higher max-steps it goes on as if it had never
          // paused, and reports the epoch again.
          try save(isBest: best != nil)
          return try finish(last: evaluation ?? state.lastEvaluation, best: best ?? state.best)
        }
      }
    }
    return try finish(last: state.lastEvaluation, best: state.best)
  }

  private var totalEpochs: Int { settings.schedule.totalEpochs }
  /// The stage of the next step.
  private var stage: TrainingStage {
    settings.progression.stage(
      epoch: min(state.completedEpochs, totalEpochs - 1), step: state.epochStep)
  }
  /// Whether training comes from one stage into the next, instead of drawing one for each step.
  private var isInStages: Bool {
    settings.progression.isProgressive && !settings.progression.isDrawnPerStep
  }
  /// The steps of the running epoch.
  private var stepsPerEpoch: Int { settings.stepsPerEpoch(images: data.train.count, in: stage) }

  /// The epochs of the running phase, counted from 0.
  private var phaseEpochs: Range<Int> {
    let end = min(settings.headEpochs, totalEpochs)
    return step.phase == .classifier ? 0..<end : end..<totalEpochs
  }

  /// Begins the phase of the next epoch where that is another one.
  private func enterPhase() -> Bool {
    let phase = settings.phase(epoch: state.completedEpochs)
    guard phase != step.phase else { return false }
    state.phaseStart = state.step
    step.begin(phase, after: state.step)
    return true
  }

  private var isOutOfSteps: Bool { settings.maxSteps.map { state.step >= $0 } ?? false }

  private var isOutOfPatience: Bool { settings.patience.map(state.isOut(ofPatience:)) ?? false }

  private var plan: TrainingPlan {
    let steps = min(
      settings.totalSteps(images: data.train.count), settings.maxSteps ?? .max)
    return TrainingPlan(
      totalEpochs: totalEpochs, epochsText: settings.epochsText, stepsPerEpoch: stepsPerEpoch,
      stepRange: settings.stepRange(images: data.train.count),
      trainImages: data.train.count, testImages: data.validation.count,
      isValidated: data.hasSeparateValidation, startStep: state.step,
      startEpoch: state.completedEpochs, segment: state.segment,
      workspaceBytes: step.workspaceBytes,
      warnings: settings.warnings
        + TrainingAdvice.warnings(
          network, settings, steps: steps))
  }

  /// The remaining steps of the epoch, or those that `max-steps` allows; nil when they are done.
  private func runSteps() throws -> TrainingOutcome? {
    guard state.epochStep < stepsPerEpoch else { return nil }
    // Writing a checkpoint takes time, but does not belong to the pace of the epoch.
    state.seconds += watch.lap()
    let loader = BatchLoader(
      dataset: data.train, recipes: settings.recipes(epoch: state.completedEpochs),
      batchSize: stage.batchSize, seed: settings.seed, epoch: state.completedEpochs,
      startBatch: state.epochStep * settings.optimizer.accumulation, shuffle: true,
      sampler: settings.sampler, dropLast: true, workers: settings.workers)
    defer { loader.close() }
    while state.epochStep < stepsPerEpoch, !isOutOfSteps {
      step.enter(stage)
      let rate = learningRate(step: state.epochStep)
      switch try runBatches(of: loader, rate: rate) {
      case .abandoned: return try abandon()
      case .diverged(let quantity): return try diverge(quantity, step: state.step + 1)
      case .done(let loss):
        let count = stage.batchSize * batchesOfStep
        state.step += 1
        state.epochStep += 1
        if state.epochStep == stepsPerEpoch { step.finishEpoch() }
        state.epochLoss.add(loss, count: count)
        advanceClock()
        try listener(.step(progress(loss: loss, rate: rate)))
      }
      if let reason = stopReason { return try stop(reason) }
      if let interval = settings.checkpointSteps, state.epochStep % interval == 0,
        state.epochStep < stepsPerEpoch
      {
        try saveWithinEpoch()
      }
    }
    return nil
  }

  /// The batches whose mean gradient makes the next step: `grad-accum-steps`, at the end of an epoch
  /// those that are left.
  private var batchesOfStep: Int {
    let accumulation = settings.optimizer.accumulation
    return min(
      accumulation,
      data.train.count / stage.batchSize - state.epochStep * accumulation)
  }

  /// One step; its loss is the mean of its batches.
  private func runBatches(of loader: BatchLoader, rate: Double) throws -> TrainingStep.Result {
    let first = state.epochStep * settings.optimizer.accumulation
    let batches = batchesOfStep
    var mean = RunningMean()
    for index in 0..<batches {
      let count = try loader.next(into: step.input, targets: step.targets)
      precondition(count == stage.batchSize, "an epoch has only full batches")
      let result = step.run(
        StepKey(seed: settings.seed, epoch: state.completedEpochs, step: first + index),
        learningRate: rate, part: BatchPart(index: index, count: batches),
        isAbandoned: { stopRequest() == .abandon })
      guard case .done(let loss) = result else { return result }
      mean.add(loss, count: 1)
    }
    return .done(loss: mean.mean)
  }

  private enum EpochResult {
    case reported(Evaluation?, best: BestEpoch?)
    case interrupted(TrainingOutcome)
  }

  /// Evaluates the epoch as it stands and reports it, without a change to the state but the clock.
  private func reportEpoch() throws -> EpochResult {
    let epoch = state.completedEpochs + 1
    let isComplete = state.epochStep == stepsPerEpoch
    let isDue =
      !isComplete || epoch % settings.evaluationInterval == 0 || epoch == totalEpochs
    let imagesPerSecond = Double(state.epochLoss.count) / max(state.epochSeconds, 1e-9)
    let stepSeconds = state.epochSeconds / Double(state.epochStep)
    var evaluation: Evaluation?
    var rawEvaluation: Evaluation?
    if isDue {
      var reason: StopReason?
      func evaluate() throws -> Evaluation? {
        try evaluator.run(data.validation) { done, total in
          try listener(.evaluating(done: done, total: total))
          reason = stopReason
          return reason == nil
        }
      }
      evaluation = try evaluate()
      if reason == nil, let average = step.average {
        rawEvaluation = evaluation
        evaluation = try average.replacing(pool, evaluate)
      }
      if let reason { return .interrupted(try stop(reason)) }
      advanceClock()
    }
    let best = evaluation.flatMap { improvement($0, epoch: epoch) }
    let left = secondsLeft(
      after: epoch - 1, stepSeconds: stepSeconds, evaluation: evaluation?.seconds ?? 0)
    try listener(
      .epochFinished(
        EpochReport(
          epoch: epoch, totalEpochs: totalEpochs, step: state.step, seconds: state.seconds,
          epochSeconds: state.epochSeconds, learningRate: learningRate(step: state.epochStep - 1),
          trainLoss: state.epochLoss.mean, evaluation: evaluation,
          rawEvaluation: rawEvaluation,
          imagesPerSecond: imagesPerSecond, segment: state.segment, isBest: best != nil,
          secondsLeft: epoch < totalEpochs ? left : nil)))
    if let best { try listener(.bestImproved(best)) }
    return .reported(evaluation, best: best)
  }

  /// Moves on to the next epoch and keeps the state where that is due.
  private func completeEpoch(_ evaluation: Evaluation?, _ best: BestEpoch?) throws {
    let finished = stage
    state.completedEpochs += 1
    state.epochStep = 0
    state.epochLoss = RunningMean()
    state.epochSeconds = 0
    if let best { state.best = best }
    if let evaluation { state.lastEvaluation = evaluation }
    state.scores.append(evaluation?.value(of: settings.evaluationMetric))
    let isNewPhase = enterPhase()
    let interval = settings.checkpointInterval
    let isLast = state.completedEpochs == totalEpochs || isOutOfSteps || isOutOfPatience
    if best != nil || isLast || (interval > 0 && state.completedEpochs % interval == 0) {
      try save(isBest: best != nil)
    }
    if isNewPhase, state.completedEpochs < totalEpochs {
      try listener(.phaseEntered(step.phase, epochs: phaseEpochs))
    }
    if isInStages, state.completedEpochs < totalEpochs, stage.number != finished.number {
      try listener(.stageEntered(stage))
    }
  }

  private func improvement(_ evaluation: Evaluation, epoch: Int) -> BestEpoch? {
    let metric = settings.evaluationMetric
    let value = evaluation.value(of: metric)
    // After a change of the metric the old best says nothing.
    let old = state.best.flatMap { $0.metric == metric ? $0.value : nil }
    guard metric.isBetter(value, than: old ?? .nan) else { return nil }
    return BestEpoch(epoch: epoch, metric: metric, value: value)
  }

  // MARK: Ending

  private var stopReason: StopReason? {
    if stopRequest() != .none { return .requested }
    if state.step == stopAt { return .stopAt }
    if let limit = settings.timeLimit, watch.total >= limit { return .timeLimit }
    return nil
  }

  private func stop(_ reason: StopReason) throws -> TrainingOutcome {
    guard step.isNetworkFinite else { return try diverge(.weights, step: state.step) }
    advanceClock()
    try save(isBest: false)
    let report = stopReport(reason)
    try listener(.stopped(report))
    return .stopped(report)
  }

  private func abandon() throws -> TrainingOutcome {
    try returnToCheckpoint()
    let report = stopReport(.abandoned)
    try listener(.stopped(report))
    return .stopped(report)
  }

  private func stopReport(_ reason: StopReason) -> StopReport {
    StopReport(
      reason: reason, epoch: min(state.completedEpochs + 1, totalEpochs),
      epochStep: state.epochStep, step: state.step)
  }

  private func diverge(
    _ quantity: DivergenceReport.Quantity, step failedStep: Int
  ) throws -> TrainingOutcome {
    let epoch = state.completedEpochs + 1
    let rate = learningRate(step: max(0, failedStep - 1 - state.step + state.epochStep))
    let restored = try returnToCheckpoint()
    let report = DivergenceReport(
      quantity: quantity, epoch: epoch, step: failedStep, learningRate: rate,
      restored: restored)
    try listener(.diverged(report))
    return .diverged(report)
  }

  private func finish(last: Evaluation?, best: BestEpoch?) throws -> TrainingOutcome {
    let report = FinishReport(
      epochs: state.completedEpochs, step: state.step, seconds: state.seconds, best: best,
      last: last, isCutShort: state.completedEpochs < totalEpochs, isOutOfPatience: isOutOfPatience)
    try listener(.finished(report))
    return .finished(report)
  }

  // MARK: Keeping

  /// A state that is broken must not replace a good one.
  private func saveWithinEpoch() throws {
    if step.isNetworkFinite { try save(isBest: false) }
  }

  private func save(isBest: Bool) throws {
    let report = try checkpoints.save(
      state, network: network, optimizer: step.optimizer, average: step.average, isBest: isBest,
      keep: settings.keptCheckpoints, keepBest: settings.keptBest)
    try listener(.checkpointWritten(report))
  }

  @discardableResult
  private func returnToCheckpoint() throws -> CheckpointReport {
    let checkpoint = try checkpoints.latest().checkpoint
    state = checkpoint.state
    try restore(checkpoint)
    return CheckpointReport(
      epoch: state.completedEpochs, step: state.step, name: checkpoint.url.lastPathComponent)
  }

  /// Gives network, optimizer and average the state of a checkpoint, which is `state`. An optimizer
  /// of another phase, because `head-epochs` was changed, has nothing to say to this one.
  private func restore(_ checkpoint: Checkpoint) throws {
    let epoch = checkpoint.state.completedEpochs
    let phase = settings.phase(epoch: epoch)
    let isSame = checkpoint.state.parameters.phase(epoch: epoch) == phase
    if !isSame { state.phaseStart = state.step }
    step.begin(phase, after: state.phaseStart ?? 0)
    try checkpoint.restore(into: network, isSame ? step.optimizer : nil, step.average)
  }

  // MARK: Reckoning

  private func learningRate(step: Int) -> Double {
    settings.schedule.rate(
      at: SchedulePosition(
        epoch: state.completedEpochs, step: step, stepsPerEpoch: stepsPerEpoch,
        scores: state.scores))
  }

  private func advanceClock() {
    let seconds = watch.lap()
    state.seconds += seconds
    state.epochSeconds += seconds
  }

  private func progress(loss: Double, rate: Double) -> StepProgress {
    let stepSeconds = state.epochSeconds / Double(state.epochStep)
    let evaluation = state.lastEvaluation?.seconds ?? 0
    let left =
      Double(stepsPerEpoch - state.epochStep) * stepSeconds + evaluation
      + secondsLeft(
        after: state.completedEpochs, stepSeconds: stepSeconds, evaluation: evaluation)
    return StepProgress(
      epoch: state.completedEpochs + 1, totalEpochs: totalEpochs, epochStep: state.epochStep,
      stepsPerEpoch: stepsPerEpoch, step: state.step, loss: loss, meanLoss: state.epochLoss.mean,
      learningRate: rate,
      imagesPerSecond: Double(state.epochLoss.count) / max(state.epochSeconds, 1e-9),
      seconds: state.seconds,
      secondsLeft: left,
      isLogged: state.epochStep % settings.logInterval == 0 || state.epochStep == stepsPerEpoch)
  }

  /// An estimate of what is left after an epoch, counted from 0, from the pace of its steps and an
  /// evaluation; a step takes as much longer as it has more pixels.
  private func secondsLeft(after epoch: Int, stepSeconds: Double, evaluation: Double) -> Double {
    let progression = settings.progression
    func stepPixels(_ epoch: Int) -> Double {
      zip(progression.stages, progression.shares(epoch: epoch)).reduce(0) { sum, entry in
        let (stage, share) = entry
        return sum + share * Double(stage.batchSize * stage.inputSize * stage.inputSize)
      }
    }
    let secondsPerPixel = stepSeconds / stepPixels(epoch)
    return progression.stages.reduce(Double(totalEpochs - epoch - 1) * evaluation) { sum, stage in
      let epochs = stage.epochs.clamped(to: min(epoch + 1, totalEpochs)..<totalEpochs)
      guard let first = epochs.first else { return sum }
      let steps = settings.stepsPerEpoch(images: data.train.count, in: stage)
      let pace = progression.isDrawnPerStep ? 1 / Double(progression.stages.count) : 1
      return sum + pace * Double(epochs.count * steps) * stepPixels(first) * secondsPerPixel
    }
  }
}

/// Seconds since a start and since the last look.
private struct Stopwatch {
  private let start = ContinuousClock.now
  private var last = ContinuousClock.now

  var total: Double { start.duration(to: .now).seconds }

  mutating func lap() -> Double {
    let now = ContinuousClock.now
    defer { last = now }
    return last.duration(to: now).seconds
  }
}
