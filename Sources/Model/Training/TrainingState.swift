/// Everything about a training that is not a tensor, as it stands between two steps.
///
/// Together with the weights, the running statistics, their averages and the optimizer's slots this is the whole
/// state: the schedule is a function of the epoch, every random draw a function of the seed, the
/// epoch and the image, and the position in the data a function of the epoch and the step.
public struct TrainingState: Codable, Sendable, Equatable {
  /// The network, by its name in the table of variants.
  public var model: String
  /// How the network pools the last maps; nil for the mean.
  public var pooling: GlobalPooling?
  /// The channels of the network's images; nil for three.
  public var inputChannels: Int?
  /// The classes that the classifier's outputs stand for, in order.
  public var classNames: [String]
  /// The data set's name.
  public var dataName: String
  /// A digest of the data set's files and images.
  public var dataFingerprint: String
  /// The resolved settings.
  public var parameters: HyperparameterValues

  /// Epochs finished and evaluated.
  public var completedEpochs = 0
  /// Steps done since training began.
  public var step = 0
  /// Steps done before the optimizer began anew, behind `head-epochs`; nil for none.
  public var phaseStart: Int?
  /// Steps done in the running epoch; all of them when only its evaluation is missing.
  public var epochStep = 0
  /// Training loss of the running epoch so far.
  public var epochLoss = RunningMean()
  /// The best epoch so far.
  public var best: BestEpoch?
  /// The last evaluation.
  public var lastEvaluation: Evaluation?

  /// What the finished epochs scored by `eval-metric`, for schedules that watch it; nil where none
  /// was evaluated.
  public var scores: [Double?] = []

  /// Seconds of training so far, evaluations included.
  public var seconds = 0.0
  /// Seconds of the running epoch so far.
  public var epochSeconds = 0.0
  /// How often training was started or resumed.
  public var segment = 0

  /// Whether so many epochs have not improved on the best one. An epoch that was not evaluated
  /// cannot tell: what came since the last evaluation may be better.
  func isOut(ofPatience patience: Int) -> Bool {
    guard let best, let score = scores.last, score != nil else { return false }
    return completedEpochs - best.epoch >= patience
  }

  /// The network as `load` takes it.
  var networkText: String { Variant.loadText(model, pooling ?? .average, inputChannels ?? 3) }

  /// The beginning of a training.
  public init(
    model: String, classNames: [String], dataName: String, dataFingerprint: String,
    parameters: HyperparameterValues
  ) {
    self.model = model
    self.classNames = classNames
    self.dataName = dataName
    self.dataFingerprint = dataFingerprint
    self.parameters = parameters
  }
}

extension TrainingState {
  /// Whether a checkpoint can be continued with the network, data and settings of a given state.
  /// - Throws: `TrainingError`.
  func checkContinuation(by given: TrainingState) throws {
    func architecture(_ name: String) -> Substring { name.prefix { $0 != "." } }
    guard architecture(model) == architecture(given.model), pooling == given.pooling,
      inputChannels == given.inputChannels
    else { throw TrainingError.otherNetwork(checkpoint: networkText, given: given.networkText) }
    guard dataFingerprint == given.dataFingerprint else {
      throw TrainingError.otherData(checkpoint: dataName, given: given.dataName)
    }
    guard epochStep > 0 else { return }
    for key in [
      "batch-size", "grad-accum-steps", "seed", "sampler", "progressive", "stages", "stage-batch",
    ]
    where parameters[key] != given.parameters[key] {
      throw TrainingError.changedWithinEpoch(
        key: key, checkpoint: parameters[key].text, given: given.parameters[key].text,
        epochStep: epochStep)
    }
  }
}
