import Model

/// Shows a training: the epoch table on standard output, the bar on standard error.
final class TrainingDisplay {
  private let console: Console
  private let metric: EvaluationMetric
  /// The curves below the table, where they are wanted.
  private let live: LivePlot?
  private var epochLabel = ""

  init(_ console: Console, metric: EvaluationMetric, live: LivePlot? = nil) {
    self.console = console
    self.metric = metric
    self.live = live
  }

  /// Shows one event.
  func handle(_ event: TrainingEvent) {
    switch event {
    case .step, .evaluating: show(event)
    case .finished, .stopped, .diverged:
      show(event)
      live?.erase()
      live?.draw(isLast: true)
    default:
      console.progress.finish()
      live?.erase()
      show(event)
      if case .epochFinished = event { live?.draw() } else { live?.redraw() }
    }
  }

  private func show(_ event: TrainingEvent) {
    let progress = console.progress
    switch event {
    case .started(let plan):
      console.note(RunText.plan(plan))
      for warning in plan.warnings { console.warn(warning.message) }
      console.print(EpochTable.header(style: console.style))
    case .step(let step):
      let label = "epoch \(step.epoch)/\(step.totalEpochs)"
      if label != epochLabel {
        epochLabel = label
        progress.begin(total: step.stepsPerEpoch, label: label)
      }
      let detail =
        "loss \(NumberText.fixed(step.meanLoss, 4))  \(NumberText.fixed(step.imagesPerSecond, 1)) img/s"
        + "  \(NumberText.duration(step.secondsLeft)) to the end"
      progress.update(step.epochStep, detail: detail)
    case .stageEntered(let stage):
      progress.finish()
      epochLabel = ""
      console.note(RunText.stage(stage))
    case .phaseEntered(let phase, let epochs):
      progress.finish()
      epochLabel = ""
      console.note(RunText.phase(phase, epochs))
    case .evaluating(let done, let total):
      if epochLabel != "eval" {
        epochLabel = "eval"
        progress.begin(total: total, label: "evaluation")
      }
      progress.update(done)
    case .epochFinished(let report):
      progress.finish()
      epochLabel = ""
      console.print(EpochTable.line(report, metric: metric, style: console.style))
      if let raw = report.rawEvaluation { console.note(RunText.raw(raw)) }
      progress.event("epoch", RunRecorder.fields(report))
    case .bestImproved, .checkpointWritten, .stopped, .diverged, .finished:
      progress.finish()
    }
  }

  /// Takes the bar away.
  func close() { console.progress.finish() }
}
