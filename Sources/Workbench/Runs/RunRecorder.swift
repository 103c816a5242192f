import Foundation
import Model

/// Writes what a training reports into the folder of its run: metrics.csv, log.txt, events.jsonl.
final class RunRecorder {
  private let metrics: MetricsFile
  private let log: AppendFile
  private let events: EventLog
  private let metric: EvaluationMetric
  private let describesStart: String

  /// Opens the files of a run.
  ///
  /// - Parameters:
  ///   - description: what is trained on what, for the log's first line.
  ///   - metric: the metric that decides the best epoch.
  init(
    _ directory: RunDirectory, description: String, metric: EvaluationMetric,
    now: @escaping () -> Date = Date.init
  ) throws {
    metrics = try MetricsFile(directory.metrics)
    log = try AppendFile(directory.log)
    events = try EventLog(directory, now: now)
    describesStart = description
    self.metric = metric
  }

  /// Adds a line to log.txt.
  func note(_ line: String) throws {
    try log.append(line: line)
  }

  /// Records that training ended in an error that is none of its own outcomes.
  func failed(_ message: String) throws {
    try log.append(line: "failed: \(message)")
    try events.append("failed", ["message": .text(message)])
  }

  /// Writes down one event; the files are on disk when it returns, steps excepted.
  func handle(_ event: TrainingEvent) throws {
    switch event {
    case .started(let plan): try started(plan)
    case .step(let progress): try step(progress)
    case .stageEntered(let stage):
      try log.append(line: RunText.stage(stage))
      try events.append("stage", StageReport.fields(stage))
    case .phaseEntered(let phase, let epochs):
      try log.append(line: RunText.phase(phase, epochs))
      try events.append(
        "phase", ["trains": .text(phase.rawValue), "epochs": .integer(epochs.count)])
    case .evaluating: break
    case .epochFinished(let report): try epoch(report)
    case .bestImproved(let best):
      try events.append(
        "best",
        [
          "epoch": .integer(best.epoch), "metric": .text(best.metric.rawValue),
          "value": .real(best.value),
        ])
    case .checkpointWritten(let report):
      try events.append("checkpoint", Self.fields(report))
    case .stopped(let report):
      try log.append(line: RunText.stopped(report))
      try events.append(
        "stopped",
        [
          "reason": .text(report.reason.rawValue), "epoch": .integer(report.epoch),
          "epoch_step": .integer(report.epochStep), "step": .integer(report.step),
        ])
    case .diverged(let report):
      try log.append(line: RunText.diverged(report))
      try events.append(
        "diverged",
        [
          "quantity": .text(report.quantity.rawValue), "epoch": .integer(report.epoch),
          "step": .integer(report.step), "lr": .real(report.learningRate),
          "restored": .record(Self.fields(report.restored)),
        ])
    case .finished(let report):
      try log.append(line: RunText.finished(report))
      try events.append(
        "finished",
        [
          "epochs": .integer(report.epochs), "step": .integer(report.step),
          "seconds": .real(report.seconds), "cut_short": .flag(report.isCutShort),
        ])
    }
  }

  private func started(_ plan: TrainingPlan) throws {
    let isResumed = plan.segment > 1
    try log.append(line: "\(isResumed ? "resumed" : "started"): \(describesStart)")
    try log.append(line: RunText.plan(plan))
    for warning in plan.warnings { try log.append(line: "warning: \(warning.message)") }
    try log.append(line: EpochTable.header())
    try events.append(
      isResumed ? "resumed" : "started",
      [
        "total_epochs": .integer(plan.totalEpochs), "epoch": .integer(plan.startEpoch),
        "step": .integer(plan.startStep), "steps_per_epoch": .integer(plan.stepsPerEpoch),
        "train_images": .integer(plan.trainImages), "test_images": .integer(plan.testImages),
        "segment": .integer(plan.segment),
      ])
  }

  private func step(_ progress: StepProgress) throws {
    guard progress.isLogged else { return }
    try events.append(
      "step",
      [
        "epoch": .integer(progress.epoch), "epoch_step": .integer(progress.epochStep),
        "step": .integer(progress.step), "loss": .real(progress.loss),
        "mean_loss": .real(progress.meanLoss), "lr": .real(progress.learningRate),
        "images_per_s": .real(progress.imagesPerSecond),
      ], durably: false)
  }

  private func epoch(_ report: EpochReport) throws {
    try metrics.append(MetricsRow(report))
    try log.append(line: EpochTable.line(report, metric: metric))
    if let raw = report.rawEvaluation { try log.append(line: RunText.raw(raw)) }
    try events.append("epoch", Self.fields(report))
  }

  /// An epoch as an event shows it.
  static func fields(_ report: EpochReport) -> [String: ReportValue] {
    var fields: [String: ReportValue] = [
      "epoch": .integer(report.epoch), "step": .integer(report.step),
      "seconds": .real(report.seconds), "lr": .real(report.learningRate),
      "loss": .real(report.trainLoss), "images_per_s": .real(report.imagesPerSecond),
    ]
    if let evaluation = report.evaluation {
      fields["eval_loss"] = .real(evaluation.loss)
      fields["top1"] = .real(evaluation.top1)
      fields["top5"] = .real(evaluation.top5)
    }
    if let raw = report.rawEvaluation {
      fields["raw_eval_loss"] = .real(raw.loss)
      fields["raw_top1"] = .real(raw.top1)
      fields["raw_top5"] = .real(raw.top5)
    }
    return fields
  }

  private static func fields(_ report: CheckpointReport) -> [String: ReportValue] {
    [
      "epoch": .integer(report.epoch), "step": .integer(report.step),
      "file": .text(report.name),
    ]
  }
}

/// The sentences about a training, the same on the terminal and in log.txt.
enum RunText {
  /// What is going to happen: `epochs: 50 + 10 cooldown = 60, 1562 steps each, 50,000 images`.
  static func plan(_ plan: TrainingPlan) -> String {
    let (fewest, most) = (plan.stepRange.lowerBound, plan.stepRange.upperBound)
    let range = fewest < most ? "\(NumberText.count(fewest)) to " : ""
    var text = "epochs: \(plan.epochsText), \(range)\(NumberText.count(most)) steps each; "
    text += "\(NumberText.count(plan.trainImages)) training images, "
    let judges = plan.isValidated ? "validation" : "test"
    text += "\(NumberText.count(plan.testImages)) \(judges) images"
    if plan.startStep > 0 {
      text += "; going on after epoch \(plan.startEpoch), step \(NumberText.count(plan.startStep))"
    }
    return text
  }

  /// A stage of progressive learning: `stage 2 of 4: 171 px, batch 32, dropout 0.15`.
  static func stage(_ stage: TrainingStage) -> String {
    "stage \(stage.number) of \(stage.count): \(StageReport.settings(stage).joined(separator: ", "))"
  }

  /// What trains from an epoch on: `epochs 1 to 3: the classifier alone trains`.
  static func phase(_ phase: TrainingPhase, _ epochs: Range<Int>) -> String {
    let span =
      epochs.count == 1
      ? "epoch \(epochs.upperBound)" : "epochs \(epochs.lowerBound + 1) to \(epochs.upperBound)"
    switch phase {
    case .classifier: return "\(span): the classifier alone trains (head-epochs)"
    case .whole: return "\(span): all of the network trains that 'freeze' leaves"
    }
  }

  /// What the weights reach by themselves, where the line of the epoch is about their mean.
  static func raw(_ evaluation: Evaluation) -> String {
    "without the running mean: loss \(NumberText.fixed(evaluation.loss, 4)), "
      + "top1 \(NumberText.fixed(evaluation.top1, 2)), top5 \(NumberText.fixed(evaluation.top5, 2))"
  }

  /// Where a training stopped and why: `stopped at epoch 7 step 212`.
  static func stopped(_ report: StopReport) -> String {
    let place = "epoch \(report.epoch) step \(report.epochStep)"
    switch report.reason {
    case .requested: return "stopped at \(place)"
    case .abandoned: return "abandoned; back at \(place)"
    case .stopAt: return "stopped at \(place), as stop-at=\(report.step) says"
    case .stopAfter:
      let epoch = report.epoch - 1
      return "stopped after epoch \(epoch), as stop-after=\(epoch) says"
    case .timeLimit: return "stopped at \(place): the time limit is reached"
    }
  }

  /// What went wrong and where the network stands now.
  static func diverged(_ report: DivergenceReport) -> String {
    let error = TrainingError.diverged(report)
    return error.message + (error.advice.map { "; " + $0 } ?? "")
  }

  /// How training ended: `finished: 60 epochs in 5h12m; best top1 97.90 in epoch 57`.
  static func finished(_ report: FinishReport) -> String {
    var text = "finished: \(report.epochs) epochs in \(NumberText.duration(report.seconds))"
    if report.isCutShort {
      text +=
        report.isOutOfPatience
        ? " (early-stop: no better since epoch \(report.best?.epoch ?? 0))"
        : " (max-steps reached at step \(report.step))"
    }
    if let best = report.best {
      let value = NumberText.fixed(best.value, best.metric == .loss ? 4 : 2)
      text += "; best \(best.metric.rawValue) \(value) in epoch \(best.epoch)"
    }
    return text
  }
}
