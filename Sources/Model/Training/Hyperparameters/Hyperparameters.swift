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
  /// Images per batch; a step takes `optimizer.accumulation` batches.
  public let batchSize: Int
  /// Which images an epoch takes, and in which order.
  public let sampler: Sampler
  /// What happens to training images, before the stages change it.
  public let augmentation: AugmentationSettings
  /// How test images become network input.
  public let evalTransform: EvalTransform
  /// What training makes smaller.
  public let loss: TrainingLoss
  /// The share of features that dropout sets to 0.
  public let dropout: Double
  /// The share of the images for which the branch of the deepest blocks is left out.
  public let dropPath: Double
  /// The share of a batch in the running statistics; nil for the network's own.
  public let normMomentum: Double?
  /// What does not train.
  public let freezing: FreezeRule
  /// How gradients become new weights.
  public let optimizer: OptimizerSettings
  /// The learning rate over the epochs.
  public let schedule: Schedule
  /// The stages of progressive learning; one where there is none.
  public let progression: Progression
  /// Epochs of the schedule proper, without the cool-down.
  public let epochs: Int
  /// Epochs between evaluations.
  public let evaluationInterval: Int
  /// Epochs between checkpoints; 0 for none but the necessary ones.
  public let checkpointInterval: Int
  /// Steps between checkpoints within an epoch; nil for none.
  public let checkpointSteps: Int?
  /// Epochs without a better metric after which training ends.
  public let patience: Int?
  /// Whether summary.csv is written.
  public let writesSummary: Bool
  /// Checkpoints of past epochs that stay.
  public let keptCheckpoints: Int
  /// Checkpoints that stay for their scores.
  public let keptBest: Int
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
    augmentation = AugmentationSettings(resolved, preprocessing)
    evalTransform = EvalTransform(preprocessing)
    loss = TrainingLoss(values)
    dropout = values.number("drop")
    dropPath = values.number("drop-path")
    normMomentum = values.optionalNumber("bn-momentum")
    freezing = FreezeRule(values.word("freeze"), fixesNorms: values.flag("freeze-bn"))
    optimizer = OptimizerSettings(values)
    schedule = Self.schedule(values)
    progression = Progression(
      values, inputSize: preprocessing.inputSize, totalEpochs: schedule.totalEpochs,
      cooldownEpochs: values.cooldownEpochs)
    epochs = values.integer("epochs")
    evaluationInterval = values.integer("val-interval")
    checkpointInterval = values.integer("checkpoint-every")
    checkpointSteps = values.optionalInteger("checkpoint-steps")
    patience = values.optionalInteger("early-stop")
    writesSummary = values.flag("summary-csv")
    keptCheckpoints = values.integer("keep")
    keptBest = values.integer("keep-best")
    maxSteps = values.optionalInteger("max-steps")
    timeLimit = values.optionalNumber("time-limit")
    warnings = Self.warnings(values)
  }

  /// Epochs in words, with what the schedule adds: `50 + 10 cooldown = 60`, or `12`.
  public var epochsText: String {
    let cycles = values.scheduleRule.isCyclic ? values.integer("lr-cycle-limit") : 1
    let cooldown = values.cooldownEpochs
    let warmup = schedule.warmup.isInFront ? schedule.warmup.epochs : 0
    let total = schedule.totalEpochs
    var text = "\(total - cooldown - warmup)"
    if cycles > 1 { text += " in \(cycles) cycles" }
    if warmup > 0 { text = "\(warmup) warm-up + \(text)" }
    if cooldown > 0 { text += " + \(cooldown) cooldown" }
    return cooldown + warmup == 0 ? text : "\(text) = \(total)"
  }

  /// Steps in an epoch of so many images; the last, incomplete batch is left out, and the last step
  /// has the batches that are left.
  public func stepsPerEpoch(images: Int, in stage: TrainingStage) -> Int {
    let accumulation = optimizer.accumulation
    return (images / stage.batchSize + accumulation - 1) / accumulation
  }

  /// The fewest and the most steps in an epoch of so many images: stages may have batches of their own.
  func stepRange(images: Int) -> ClosedRange<Int> {
    let counts = progression.stages.map { stepsPerEpoch(images: images, in: $0) }
    return (counts.min() ?? 0)...(counts.max() ?? 0)
  }

  /// Steps of the whole training on so many images. A stage that is drawn for each step has the same
  /// batch as all others.
  func totalSteps(images: Int) -> Int {
    (0..<schedule.totalEpochs).reduce(0) {
      $0 + stepsPerEpoch(images: images, in: progression.stage(epoch: $1))
    }
  }

  /// Refuses a batch that cannot be filled, in any stage.
  /// - Throws: `HyperparameterError.batchLargerThanData`.
  public func checkBatches(images: Int) throws(HyperparameterError) {
    let largest = progression.stages.map(\.batchSize).max() ?? batchSize
    guard images >= largest else {
      throw .batchLargerThanData(batch: largest, images: images)
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
    let warmup = schedule(values).warmup
    let epochs = values.integer("epochs")
    if warmup.epochs >= epochs, !warmup.isInFront {
      warnings.append(.warmupNeverEnds(warmup: warmup.epochs, epochs: epochs))
    }
    if warmup.epochs > 0 && warmup.start > peak {
      warnings.append(.warmupAboveRate(warmup: warmup.start, rate: peak))
    }
    let floor = values.number("min-lr")
    if values.scheduleRule.isCyclic && floor > peak {
      warnings.append(.floorAboveRate(minimum: floor, rate: peak))
    }
    if values.progressionRule.ramps {
      let ramped = schedule(values).totalEpochs - values.cooldownEpochs
      let stages = values.integer("stages")
      if ramped < stages {
        warnings.append(.fewerEpochsThanStages(epochs: ramped, stages: stages))
      }
    }
    let headEpochs = values.headEpochs
    if headEpochs > 0, headEpochs >= schedule(values).totalEpochs {
      warnings.append(.backboneNeverTrains(head: headEpochs))
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
    func fit(_ key: String, _ own: [Double]) -> [Double] {
      resolved.numbers(key).map { Preprocessing.fit($0, channels: own.count) } ?? own
    }
    return Preprocessing(
      inputSize: resolved.integer("input-size"), testInputSize: nil,
      cropFraction: resolved.number("crop-pct"),
      interpolation: choice(resolved.word("interpolation")),
      mean: fit("mean", network.mean), deviation: fit("std", network.deviation),
      cropMode: network.cropMode)
  }

  /// What happens to training images in a stage.
  public func augmentation(_ stage: TrainingStage) -> AugmentationSettings {
    var augmentation = self.augmentation
    augmentation.mixupAlpha = stage.mixup
    augmentation.cutmixAlpha = stage.cutmix
    if let magnitude = stage.magnitude { augmentation.policy?.setMagnitude(magnitude) }
    return augmentation
  }

  /// How the batches of an epoch are made, in its stage or in the one drawn for each step.
  public func recipes(epoch: Int) -> BatchRecipes {
    func recipe(_ stage: TrainingStage) -> BatchRecipe {
      BatchRecipe(
        trainTransform(stage),
        augmentation(stage).batchAugmentation(size: stage.inputSize, epoch: epoch))
    }
    guard progression.isDrawnPerStep else {
      return BatchRecipes(recipe(progression.stage(epoch: epoch)))
    }
    let (progression, accumulation) = (self.progression, optimizer.accumulation)
    return BatchRecipes(progression.stages.map(recipe)) { batch in
      progression.stage(epoch: epoch, step: batch / accumulation).number - 1
    }
  }

  /// How training images become network input in a stage: augmented, unless `no-aug` is on.
  public func trainTransform(_ stage: TrainingStage) -> any ImageTransform {
    augmentation(stage).makeTransform(size: stage.inputSize)
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
