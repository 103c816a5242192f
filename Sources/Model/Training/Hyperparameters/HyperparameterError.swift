/// What can be wrong with the settings of a training.
public enum HyperparameterError: ModelError, Equatable {
  case unknownKey(String)
  case wrongType(key: String, value: HyperparameterValue, accepts: String)
  case outOfRange(key: String, value: HyperparameterValue, accepts: String)
  /// The text of an augmentation policy is wrong.
  case badPolicy(key: String, PolicyProblem)
  /// A batch cannot be filled, and the last, incomplete batch of an epoch is left out.
  case batchLargerThanData(batch: Int, images: Int)
  /// Settings exclude each other; any of the keys can be changed.
  case conflict(keys: [String], reason: String, advice: String)
  /// A pattern of `freeze` fits no tensor of the network.
  case frozenNothing(String, nearest: [String])
  /// Nothing is left to train.
  case frozenEverything(String)
}

extension HyperparameterError {
  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .unknownKey(let name): return "unknown hyperparameter '\(name)'"
    case .wrongType(let key, let value, let accepts),
      .outOfRange(let key, let value, let accepts):
      return "\(key) cannot be '\(value.text)'; it takes \(accepts)"
    case .badPolicy(let key, let problem):
      return "\(key) cannot be '\(problem.text)': \(problem.reason)"
    case .batchLargerThanData(let batch, let images):
      return "batch-size=\(batch) is larger than the training set of \(images) images"
    case .conflict(_, let reason, _): return reason
    case .frozenNothing(let pattern, _):
      return "freeze: '\(pattern)' fits no tensor of the network"
    case .frozenEverything(let value): return "freeze=\(value) leaves nothing to train"
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .unknownKey: return "'show all' lists the hyperparameters"
    case .wrongType, .outOfRange: return nil
    case .badPolicy(_, let problem): return problem.advice
    case .batchLargerThanData(_, let images):
      return "set batch-size=\(images) or less, or use more images"
    case .conflict(_, _, let advice): return advice
    case .frozenNothing(_, let nearest):
      return nearest.isEmpty
        ? "'info layers' lists the paths; stem, blocks.0 and blocks.0..3 are understood too"
        : "did you mean \(nearest.map { "'\($0)'" }.joined(separator: " or "))?"
    case .frozenEverything: return "freeze=backbone trains the classifier alone"
    }
  }

  /// Which sort of failure this is.
  public var kind: ModelErrorKind { .usage }
}

/// Settings that can be meant, but seldom are.
public enum HyperparameterWarning: Sendable, Equatable {
  /// The rate is still rising when training ends.
  case warmupNeverEnds(warmup: Int, epochs: Int)
  /// The warm-up starts above the rate that it leads to.
  case warmupAboveRate(warmup: Double, rate: Double)
  /// The schedule ends above the rate at which it starts.
  case floorAboveRate(minimum: Double, rate: Double)
  /// Some stages of progressive learning never come.
  case fewerEpochsThanStages(epochs: Int, stages: Int)
  /// The classifier trains alone to the end.
  case backboneNeverTrains(head: Int)
  /// Batch norm averages over few images.
  case smallBatch(Int)
  /// The network halves the image more often than it has pixels for.
  case smallInput(size: Int, stride: Int)
  /// The rate is far above what such batches usually bear.
  case highRate(rate: Double, usual: Double)
  /// The running mean of the weights hardly moves in so short a training.
  case slowAverage(memory: Int, steps: Int)
  /// The images are not normalised as the network's weights know them.
  case otherNormalization(key: String, usual: [Double])
  /// A key was set that has no effect with the other values.
  case inert(key: String, reason: String)

  /// The warning in one line: lower case, no full stop.
  public var message: String {
    let text = HyperparameterValue.text
    switch self {
    case .warmupNeverEnds(let warmup, let epochs):
      return "warmup-epochs=\(warmup) and epochs=\(epochs): the learning rate never reaches lr"
    case .warmupAboveRate(let warmup, let rate):
      return "warmup-lr=\(text(warmup)) is above lr=\(text(rate)): the warm-up lowers the rate"
    case .floorAboveRate(let minimum, let rate):
      return "min-lr=\(text(minimum)) is above lr=\(text(rate)): the schedule raises the rate"
    case .fewerEpochsThanStages(let epochs, let stages):
      return
        "stages=\(stages), but only \(epochs) epochs before the cool-down: some stages are left out"
    case .backboneNeverTrains(let head):
      return "head-epochs=\(head) covers all epochs: the backbone never trains"
    case .smallBatch(let batch):
      return
        "batch norm averages over \(batch) images only; freeze-bn=on uses its running statistics"
    case .smallInput(let size, let stride):
      return
        "input-size=\(size) is below the network's stride of \(stride): its last maps are mostly padding"
    case .highRate(let rate, let usual):
      return
        "lr=\(text(rate)) is high for this optimizer and batch; about \(text(usual)) is usual"
    case .slowAverage(let memory, let steps):
      return
        "model-ema-decay looks back \(memory) steps, and training has \(steps): take a smaller one, or model-ema-warmup=on"
    case .otherNormalization(let key, let usual):
      return
        "\(key) is not what the network's weights were trained with, \(HyperparameterValue.numbers(usual).text)"
    case .inert(let key, let reason): return "\(key) has no effect: \(reason)"
    }
  }
}
