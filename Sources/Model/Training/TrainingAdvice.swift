/// What experience says about settings for a network: doubts, not errors.
enum TrainingAdvice {
  /// The doubts about training a network with these settings for so many steps.
  static func warnings(
    _ network: Network, _ settings: Hyperparameters, steps: Int
  ) -> [HyperparameterWarning] {
    var warnings: [HyperparameterWarning] = []
    let stages = settings.progression.stages
    if case .convolutional(let body) = network.blueprint.body {
      let smallest = stages.map { min($0.batchSize, $0.rows) }.min() ?? settings.batchSize
      if smallest < 8, !settings.freezing.fixesNorms { warnings.append(.smallBatch(smallest)) }
      if settings.preprocessing.inputSize < body.stride {
        warnings.append(.smallInput(size: settings.preprocessing.inputSize, stride: body.stride))
      }
    }
    if let usual = usualRate(settings), settings.schedule.peak > 4 * usual {
      warnings.append(.highRate(rate: settings.schedule.peak, usual: usual))
    }
    if let average = settings.optimizer.average, !average.warmsUp {
      let memory = Int((1 / max(1 - average.decay, 1e-12)).rounded())
      if memory > steps { warnings.append(.slowAverage(memory: memory, steps: steps)) }
    }
    let own = network.blueprint.variant.preprocessing
    if settings.preprocessing.mean != own.mean {
      warnings.append(.otherNormalization(key: "mean", usual: own.mean))
    }
    if settings.preprocessing.deviation != own.deviation {
      warnings.append(.otherNormalization(key: "std", usual: own.deviation))
    }
    return warnings
  }

  /// A rate that such batches usually bear; nil where there is no common opinion. Under plain descent
  /// it is proportional to the images of a step, under Adam and its kin it hardly depends on them.
  private static func usualRate(_ settings: Hyperparameters) -> Double? {
    let images = Double(settings.batchSize * settings.optimizer.accumulation)
    switch settings.optimizer.choice.rule {
    case .sgd, .momentum: return 0.05 * images / 32
    case .rmsprop, .rmsproptf: return 0.016 * images / 256
    case .adam, .adamw, .nadam, .radam, .adamax: return 0.001
    default: return nil
    }
  }
}
