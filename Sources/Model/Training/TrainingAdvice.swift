/// What experience says about settings for a network: doubts, not errors.
enum TrainingAdvice {
  /// The doubts about training a network with these settings.
  static func warnings(_ network: Network, _ settings: Hyperparameters) -> [HyperparameterWarning] {
    var warnings: [HyperparameterWarning] = []
    let stages = settings.progression.stages
    if case .convolutional(let body) = network.blueprint.body {
      let smallest = stages.map(\.batchSize).min() ?? settings.batchSize
      if smallest < 8, !settings.freezing.fixesNorms { warnings.append(.smallBatch(smallest)) }
      if settings.preprocessing.inputSize <= body.stride {
        warnings.append(.smallInput(size: settings.preprocessing.inputSize, stride: body.stride))
      }
    }
    if let usual = usualRate(settings), settings.schedule.peak > 4 * usual {
      warnings.append(.highRate(rate: settings.schedule.peak, usual: usual))
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

  /// A rate that such batches usually bear, to one digit: proportional to the batch under gradient
  /// descent, whose steps are as long as the gradient.
  private static func usualRate(_ settings: Hyperparameters) -> Double? {
    switch settings.optimizer {
    case .sgd, .momentum: return 0.05 * Double(settings.batchSize) / 32
    }
  }
}
