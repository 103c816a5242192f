/// How gradients become new weights: the typed values of the optimizer's keys.
public struct OptimizerSettings: Sendable {
  /// The rule, and whether slow weights follow it.
  public let choice: OptimizerChoice
  /// How much of the last step is carried on.
  public let momentum: Double
  /// How much of the means of gradients and squares stays; nil for the rule's own.
  public let betas: [Double]?
  /// What is added to a denominator.
  public let epsilon: Double
  /// How strongly weights are pulled towards 0.
  public let weightDecay: Double
  /// What the rate is multiplied by from each layer to the one before it; nil for one rate.
  public let layerDecay: Double?
  /// The least share of the rate that layerDecay leaves.
  public let smallestScale: Double
  /// The share of the rate below which a layer does not train; nil where all do.
  public let unoptimizedScale: Double?
  /// How gradients are limited; nil where they are not.
  public let clipping: ClippingSettings?
  /// Batches whose mean gradient makes a step.
  public let accumulation: Int
  /// The running mean of the weights; nil where there is none.
  public let average: AverageSettings?

  init(_ values: HyperparameterValues) {
    guard let choice = OptimizerChoice(rawValue: values.word("opt")) else {
      preconditionFailure("the registry offers \(values.word("opt")), which is no rule")
    }
    self.choice = choice
    momentum = values.number("momentum")
    betas = values.numbers("opt-betas")
    epsilon = values.optionalNumber("opt-eps") ?? choice.rule.defaultEpsilon ?? 0
    weightDecay = values.number("weight-decay")
    layerDecay = values.optionalNumber("layer-decay")
    smallestScale = values.number("layer-decay-min-scale")
    unoptimizedScale = values.optionalNumber("layer-decay-no-opt-scale")
    clipping = values.optionalNumber("clip-grad").flatMap { limit in
      ClippingMode(rawValue: values.word("clip-mode")).map {
        ClippingSettings(mode: $0, limit: limit)
      }
    }
    accumulation = values.integer("grad-accum-steps")
    average =
      values.flag("model-ema")
      ? AverageSettings(
        decay: values.number("model-ema-decay"), warmsUp: values.flag("model-ema-warmup")) : nil
  }

  /// The places in the table of the tensors whose rate is so small that they do not train.
  func unoptimized(in table: ParameterTable) -> Set<Int> {
    guard let layerDecay, let unoptimizedScale else { return [] }
    let slow = Set(
      LayerScales.scales(of: table, decay: layerDecay, smallest: smallestScale)
        .filter { $0.scale < unoptimizedScale }.map(\.info.path))
    return Set(table.entries.indices.filter { slow.contains(table.entries[$0].path) })
  }

  /// Makes the optimizer of some weights.
  func make(for target: UpdateTarget) -> any Optimizer {
    let rule = makeRule(for: target)
    return choice.looksAhead ? Lookahead(rule, for: target) : rule
  }

  private func makeRule(for target: UpdateTarget) -> any Optimizer {
    let (beta1, beta2) = (betas?[0] ?? 0.9, betas?[1] ?? 0.999)
    func elementwise(_ rule: some ElementwiseRule) -> any Optimizer {
      ElementwiseOptimizer(rule, for: target)
    }
    func adam(_ form: AdamRule.Form) -> any Optimizer {
      elementwise(
        AdamRule(
          form: form, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay))
    }
    switch choice.rule {
    case .sgd, .momentum:
      return elementwise(
        MomentumRule(
          momentum: momentum, weightDecay: weightDecay, isNesterov: choice.rule == .sgd))
    case .adam: return adam(.coupled)
    case .adamw: return adam(.decoupled)
    case .nadam: return adam(.nesterov)
    case .radam: return adam(.rectified)
    case .adamax:
      return elementwise(
        AdamaxRule(beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay))
    case .adagrad: return elementwise(AdagradRule(epsilon: epsilon, weightDecay: weightDecay))
    case .adadelta: return elementwise(AdadeltaRule(epsilon: epsilon, weightDecay: weightDecay))
    case .rmsprop, .rmsproptf:
      return elementwise(
        RootMeanSquareRule(
          isTensorFlow: choice.rule == .rmsproptf, momentum: momentum, epsilon: epsilon,
          weightDecay: weightDecay))
    case .lamb:
      return Lamb(
        beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay, for: target)
    case .lars:
      return Lars(momentum: momentum, epsilon: epsilon, weightDecay: weightDecay, for: target)
    case .adafactor:
      return Adafactor(
        beta1: betas?[0], epsilon: epsilon, weightDecay: weightDecay, for: target)
    }
  }

  /// The floats that optimizer, average and accumulation hold for a network.
  func stateFloats(of table: ParameterTable) -> (optimizer: Int, average: Int, accumulation: Int) {
    let slots: Int
    switch choice.rule {
    case .sgd, .momentum, .adagrad, .lars: slots = table.weightExtent
    case .adam, .adamw, .nadam, .radam, .adamax, .adadelta, .rmsprop, .rmsproptf, .lamb:
      slots = 2 * table.weightExtent
    case .adafactor:
      slots = Adafactor.stateFloats(of: table) + (betas == nil ? 0 : table.weightExtent)
    }
    return (
      slots + (choice.looksAhead ? table.weightExtent : 0),
      average == nil ? 0 : table.weightExtent + table.bufferExtent,
      accumulation == 1 ? 0 : table.weightExtent
    )
  }
}
