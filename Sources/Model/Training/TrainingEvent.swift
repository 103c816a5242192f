/// What a training tells its listener, in the order in which it happens.
public enum TrainingEvent: Sendable {
  /// Training begins, or goes on from a checkpoint.
  case started(TrainingPlan)
  /// A batch is done and the weights are updated.
  case step(StepProgress)
  /// A stage of progressive learning begins, or is gone on with.
  case stageEntered(TrainingStage)
  /// The classifier alone trains from now on, or everything does; told with `head-epochs`.
  case phaseEntered(TrainingPhase, epochs: Range<Int>)
  /// So many of the images that judge an epoch are evaluated.
  case evaluating(done: Int, total: Int)
  /// An epoch is over and, where it was due, evaluated.
  case epochFinished(EpochReport)
  /// The epoch just finished is the best so far.
  case bestImproved(BestEpoch)
  /// The whole state is on disk.
  case checkpointWritten(CheckpointReport)
  /// Training was stopped and can be resumed.
  case stopped(StopReport)
  /// The loss or a gradient is no number; nothing of that step was kept.
  case diverged(DivergenceReport)
  /// Training came to its planned end.
  case finished(FinishReport)
}

/// What a training is going to do.
public struct TrainingPlan: Sendable, Equatable {
  /// Epochs in all, cool-down included.
  public let totalEpochs: Int
  /// The epochs in words: `50 + 10 cooldown = 60`.
  public let epochsText: String
  /// Steps in the next epoch.
  public let stepsPerEpoch: Int
  /// The fewest and the most steps in an epoch: stages of other batches have others.
  public let stepRange: ClosedRange<Int>
  /// Training images; those that fill no batch are left out of an epoch.
  public let trainImages: Int
  /// Images that judge every epoch.
  public let testImages: Int
  /// Whether these are validation images, and not the test images.
  public let isValidated: Bool
  /// Steps done before: 0, or those of the checkpoint that training goes on from.
  public let startStep: Int
  /// Epochs finished before.
  public let startEpoch: Int
  /// How often training was started or resumed, this time included.
  public let segment: Int
  /// Bytes of the workspace that was planned.
  public let workspaceBytes: Int
  /// Settings that are probably not meant.
  public let warnings: [HyperparameterWarning]
}

/// Where training stands after a step.
public struct StepProgress: Sendable, Equatable {
  /// The running epoch, counted from 1.
  public let epoch: Int
  /// Epochs in all.
  public let totalEpochs: Int
  /// Steps done in this epoch.
  public let epochStep: Int
  /// Steps in an epoch.
  public let stepsPerEpoch: Int
  /// Steps done since training began.
  public let step: Int
  /// Mean loss of the batch.
  public let loss: Double
  /// Mean loss of the epoch so far.
  public let meanLoss: Double
  /// Learning rate of the step.
  public let learningRate: Double
  /// Training speed of this epoch, evaluation left out.
  public let imagesPerSecond: Double
  /// Seconds of training so far, all segments together.
  public let seconds: Double
  /// Estimated seconds to the end, evaluations included.
  public let secondsLeft: Double
  /// Whether `log-interval` wants this step on record.
  public let isLogged: Bool
}

/// A finished epoch: one row of metrics.csv.
public struct EpochReport: Sendable, Equatable {
  /// The epoch, counted from 1.
  public let epoch: Int
  /// Epochs in all.
  public let totalEpochs: Int
  /// Steps done since training began.
  public let step: Int
  /// Seconds of training so far, evaluations and all segments included.
  public let seconds: Double
  /// Seconds of this epoch, its evaluation included.
  public let epochSeconds: Double
  /// Learning rate of the epoch's last step.
  public let learningRate: Double
  /// Mean training loss, label smoothing included.
  public let trainLoss: Double
  /// The test set; nil when this epoch was not evaluated. With `model-ema` that of the averaged
  /// weights.
  public let evaluation: Evaluation?
  /// With `model-ema` what the weights themselves reach; nil without.
  public var rawEvaluation: Evaluation? = nil
  /// Training speed, evaluation left out.
  public let imagesPerSecond: Double
  /// How often training was started or resumed.
  public let segment: Int
  /// Whether this is the best epoch so far.
  public let isBest: Bool
  /// Estimated seconds to the end; nil after the last epoch.
  public let secondsLeft: Double?
}

/// The best epoch so far.
public struct BestEpoch: Sendable, Equatable, Codable {
  /// The epoch, counted from 1.
  public let epoch: Int
  /// The metric that decides.
  public let metric: EvaluationMetric
  /// Its value.
  public let value: Double

  /// Names an epoch and what it reached.
  public init(epoch: Int, metric: EvaluationMetric, value: Double) {
    self.epoch = epoch
    self.metric = metric
    self.value = value
  }
}

/// A checkpoint that is safely on disk.
public struct CheckpointReport: Sendable, Equatable {
  /// Epochs finished.
  public let epoch: Int
  /// Steps done.
  public let step: Int
  /// The file's name in the checkpoint folder.
  public let name: String
}

/// Why a training stopped before its end.
public enum StopReason: String, Sendable, Codable {
  /// The user asked: the batch was finished and everything saved.
  case requested
  /// The user insisted: the batch was dropped and the last checkpoint is the state.
  case abandoned
  /// `stop-at` named this step.
  case stopAt = "stop-at"
  /// `stop-after` named the epoch that is done.
  case stopAfter = "stop-after"
  /// The time was up.
  case timeLimit = "time-limit"
}

/// Where a training stopped.
public struct StopReport: Sendable, Equatable {
  /// Why.
  public let reason: StopReason
  /// The epoch that was running, counted from 1.
  public let epoch: Int
  /// Steps done in it.
  public let epochStep: Int
  /// Steps done since training began.
  public let step: Int
}

/// What was no number, and where training stands now.
public struct DivergenceReport: Sendable, Equatable {
  /// What was found to be infinite or no number.
  public enum Quantity: String, Sendable, Codable {
    case loss, gradient, weights
  }
  /// What it was.
  public let quantity: Quantity
  /// The epoch, counted from 1.
  public let epoch: Int
  /// The step that failed, counted from 1 over the whole training.
  public let step: Int
  /// Learning rate of that step.
  public let learningRate: Double
  /// Epochs and steps of the checkpoint that the network now holds again.
  public let restored: CheckpointReport
}

/// How a training ended.
public struct FinishReport: Sendable, Equatable {
  /// Epochs finished.
  public let epochs: Int
  /// Steps done.
  public let step: Int
  /// Seconds of training, all segments together.
  public let seconds: Double
  /// The best epoch; nil when nothing was evaluated.
  public let best: BestEpoch?
  /// The last evaluation; nil when nothing was evaluated.
  public let last: Evaluation?
  /// Whether it ended before the last epoch.
  public let isCutShort: Bool
  /// Whether `early-stop` ended it; otherwise a training that is cut short ran out of `max-steps`.
  public let isOutOfPatience: Bool
}

/// How a training came back to its caller.
public enum TrainingOutcome: Sendable {
  case finished(FinishReport)
  case stopped(StopReport)
  case diverged(DivergenceReport)
}

/// What the user wants of a running training; asked once a batch.
public enum StopRequest: Sendable {
  /// Go on.
  case none
  /// Finish the batch, save everything, stop.
  case finishBatch
  /// Drop the batch; the last checkpoint is the state.
  case abandon
}
