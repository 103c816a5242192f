import Foundation

/// The settings of one training, resolved: no `auto` is left, and every value is typed.
public struct Hyperparameters: Sendable {
  /// What was resolved, with the network's preprocessing in the place of `auto`; this is what
  /// params.json and the checkpoints hold. `threads=auto` stays, so that the same script gives the
  /// same file on every machine.
  public let values: HyperparameterValues
  /// How images become network input; training and evaluation use the same size.
  public let preprocessing: Preprocessing

  /// The key of every random draw.
  public let seed: UInt64
  /// Threads that prepare batches.
  public let workers: Int
  /// Threads that compute.
  public let threads: Int
  /// The metric that decides which epoch is the best.
  public let evaluationMetric: EvaluationMetric
  /// Batches between two recorded steps.
  public let logInterval: Int
  /// Whether maps within a block are computed again instead of kept.
  public let isCheckpointing: Bool
  /// Images per step.
  public let batchSize: Int
  /// Which images an epoch takes, and in which order.
  public let sampler: Sampler
  /// How training images become network input: augmented, unless `no-aug` is on.
  public let trainTransform: any ImageTransform
  /// How test images become network input.
  public let evalTransform: EvalTransform
  /// The share of each label that is spread over all classes.
  public let smoothing: Float
  /// The share of features that dropout sets to 0.
  public let dropout: Double
  /// The share of the images for which the branch of the deepest blocks is left out.
  public let dropPath: Double
  /// What does not train.
  public let freezing: FreezeRule
  /// The rule that changes the weights.
  public let optimizer: OptimizerRule
  /// How much of the last step is carried on.
  public let momentum: Double
  /// How strongly weights are pulled towards 0.
  public let weightDecay: Double
  /// The learning rate over the epochs.
  public let schedule: any Schedule
  /// Epochs of the schedule proper, without the cool-down.
  public let epochs: Int
  /// Epochs between evaluations.
  public let evaluationInterval: Int
  /// Epochs between checkpoints; 0 for none but the necessary ones.
  public let checkpointInterval: Int
  /// Checkpoints of past epochs that stay.
  public let keptCheckpoints: Int
  /// Steps after which training ends.
  public let maxSteps: Int?
  /// Seconds after which training stops.
  public let timeLimit: Double?
  /// Settings that are probably not meant, one sentence each.
  public let warnings: [HyperparameterWarning]

  /// Resolves values against the network's own preprocessing.
  public init(_ values: HyperparameterValues, for network: Preprocessing) {
    var resolved = values
    Self.resolve(&resolved, network)
    self.values = resolved
    preprocessing = Self.preprocessing(resolved, network)

    seed = UInt64(values.integer("seed"))
    workers = values.integer("workers")
    threads = Self.threadCount(values)
    evaluationMetric = Self.choice(values.word("eval-metric"))
    logInterval = values.integer("log-interval")
    isCheckpointing = values.flag("grad-checkpointing")
    batchSize = values.integer("batch-size")
    sampler = Self.choice(values.word("sampler"))
    trainTransform = Self.trainTransform(values, preprocessing)
    evalTransform = EvalTransform(preprocessing)
    smoothing = Float(values.number("smoothing"))
    dropout = values.number("drop")
    dropPath = values.number("drop-path")
    freezing = FreezeRule(values.word("freeze"), fixesNorms: values.flag("freeze-bn"))
    optimizer = Self.choice(values.word("opt"))
    momentum = values.number("momentum")
    weightDecay = values.number("weight-decay")
    schedule = Self.schedule(values)
    epochs = values.integer("epochs")
    evaluationInterval = values.integer("val-interval")
    checkpointInterval = values.integer("checkpoint-every")
    keptCheckpoints = values.integer("keep")
    maxSteps = values.optionalInteger("max-steps")
    timeLimit = values.optionalNumber("time-limit")
    warnings = Self.warnings(values)
  }

  /// Epochs in words, with what the schedule adds: `50 + 10 cooldown = 60`, or `12`.
  public var epochsText: String {
    let cooldown = schedule.totalEpochs - epochs
    return cooldown == 0
      ? "\(epochs)" : "\(epochs) + \(cooldown) cooldown = \(schedule.totalEpochs)"
  }

  /// Steps in an epoch of so many images; the last, incomplete batch is left out.
  /// - Throws: `HyperparameterError.batchLargerThanData`.
  public func stepsPerEpoch(images: Int) throws(HyperparameterError) -> Int {
    guard images >= batchSize else {
      throw .batchLargerThanData(batch: batchSize, images: images)
    }
    return images / batchSize
  }

  /// The learning rate over the epochs; it needs no network, so that `plot lr` can draw it at once.
  public static func schedule(_ values: HyperparameterValues) -> any Schedule {
    let warmup = Warmup(
      epochs: values.integer("warmup-epochs"), start: values.number("warmup-lr"))
    let peak = values.number("lr")
    let epochs = values.integer("epochs")
    let rule: ScheduleRule = choice(values.word("sched"))
    switch rule {
    case .cosine:
      return CosineSchedule(
        peak: peak, floor: values.number("min-lr"), epochs: epochs,
        cooldownEpochs: values.integer("cooldown-epochs"), warmup: warmup)
    case .constant:
      return ConstantSchedule(peak: peak, epochs: epochs, warmup: warmup)
    }
  }

  /// The threads that `threads` asks for; `auto` is every core that this process may use.
  public static func threadCount(_ values: HyperparameterValues) -> Int {
    values.optionalInteger("threads") ?? max(1, ProcessInfo.processInfo.activeProcessorCount)
  }

  /// What is probably not meant: a warm-up longer than training, keys without effect, ...
  public static func warnings(_ values: HyperparameterValues) -> [HyperparameterWarning] {
    var warnings: [HyperparameterWarning] = []
    let peak = values.number("lr")
    let warmupEpochs = values.integer("warmup-epochs")
    let epochs = values.integer("epochs")
    if warmupEpochs >= epochs {
      warnings.append(.warmupNeverEnds(warmup: warmupEpochs, epochs: epochs))
    }
    let start = values.number("warmup-lr")
    if warmupEpochs > 0 && start > peak {
      warnings.append(.warmupAboveRate(warmup: start, rate: peak))
    }
    let floor = values.number("min-lr")
    if values.word("sched") == ScheduleRule.cosine.rawValue && floor > peak {
      warnings.append(.floorAboveRate(minimum: floor, rate: peak))
    }
    for key in values.changed {
      if let reason = values.inertReason(key) {
        warnings.append(.inert(key: key.name, reason: reason))
      }
    }
    return warnings
  }

  /// A choice of the registry as the type it stands for; the registry and the type name the same.
  private static func choice<Choice: RawRepresentable<String>>(_ word: String) -> Choice {
    guard let choice = Choice(rawValue: word) else {
      preconditionFailure("the registry offers \(word), which \(Choice.self) does not have")
    }
    return choice
  }

  private static func resolve(_ values: inout HyperparameterValues, _ network: Preprocessing) {
    let owned: [(String, HyperparameterValue)] = [
      ("input-size", .integer(network.inputSize)),
      ("crop-pct", .number(network.cropFraction)),
      ("mean", .numbers(network.mean)),
      ("std", .numbers(network.deviation)),
      ("interpolation", .word(network.interpolation.rawValue)),
    ]
    for (name, value) in owned where values[name] == .auto {
      do {
        try values.set(name, to: value)
      } catch {
        preconditionFailure("the network's preprocessing does not fit: \(error.message)")
      }
    }
  }

  private static func preprocessing(
    _ resolved: HyperparameterValues, _ network: Preprocessing
  ) -> Preprocessing {
    Preprocessing(
      inputSize: resolved.integer("input-size"), testInputSize: nil,
      cropFraction: resolved.number("crop-pct"),
      interpolation: choice(resolved.word("interpolation")),
      mean: resolved.numbers("mean") ?? network.mean,
      deviation: resolved.numbers("std") ?? network.deviation, cropMode: network.cropMode)
  }

  private static func trainTransform(
    _ values: HyperparameterValues, _ preprocessing: Preprocessing
  ) -> any ImageTransform {
    if values.flag("no-aug") {
      return EvalTransform.withoutAugmentation(
        size: preprocessing.inputSize, interpolation: preprocessing.interpolation,
        normalization: preprocessing.normalization)
    }
    var transform = TrainTransform(
      size: preprocessing.inputSize, normalization: preprocessing.normalization)
    if let scale = values.numbers("scale") { transform.scale = scale[0]...scale[1] }
    if let ratio = values.numbers("ratio") { transform.ratio = ratio[0]...ratio[1] }
    transform.interpolation = Interpolation(rawValue: values.word("train-interpolation"))
    transform.horizontalFlip = values.number("hflip")
    transform.verticalFlip = values.number("vflip")
    transform.colorJitter = values.number("color-jitter")
    return transform
  }
}

extension Preprocessing {
  /// How bytes become floats.
  public var normalization: PixelNormalization {
    PixelNormalization(mean: mean, deviation: deviation)
  }
}

extension EvalTransform {
  /// The transform of test images that a preprocessing describes, at its training size.
  public init(_ preprocessing: Preprocessing) {
    self.init(
      size: preprocessing.inputSize, cropFraction: preprocessing.cropFraction,
      interpolation: preprocessing.interpolation, normalization: preprocessing.normalization,
      cropMode: preprocessing.cropMode)
  }
}
