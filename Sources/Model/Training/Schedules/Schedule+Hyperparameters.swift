extension HyperparameterValues {
  /// The rule that `sched` names.
  var scheduleRule: ScheduleRule {
    guard let rule = ScheduleRule(rawValue: word("sched")) else {
      preconditionFailure("the registry offers the rules there are")
    }
    return rule
  }

  /// Epochs of the cool-down, which only cyclic rules have.
  var cooldownEpochs: Int { scheduleRule.isCyclic ? integer("cooldown-epochs") : 0 }
}

extension Hyperparameters {
  /// The learning rate over the epochs; it needs no network, so that `plot lr` can draw it at once.
  public static func schedule(_ values: HyperparameterValues) -> Schedule {
    let rule = values.scheduleRule
    return Schedule(
      curve: curve(rule, values), peak: values.number("lr"), warmup: warmup(rule, values),
      noise: noise(values),
      isPerStep: rule.isAlwaysPerStep || (values.flag("sched-on-updates") && rule != .plateau),
      epochs: values.integer("epochs"))
  }

  private static func curve(
    _ rule: ScheduleRule, _ values: HyperparameterValues
  ) -> any RateCurve {
    let floor = values.number("min-lr")
    let decayRate = values.number("decay-rate")
    let decayEpochs = values.number("decay-epochs")
    func cyclic(_ form: CyclicCurve.Form) -> CyclicCurve {
      CyclicCurve(
        form: form, floor: floor, cycleGrowth: values.number("lr-cycle-mul"),
        cycleDecay: values.number("lr-cycle-decay"),
        cycleCount: values.integer("lr-cycle-limit"),
        cooldownEpochs: values.integer("cooldown-epochs"))
    }
    let kDecay = values.number("lr-k-decay")
    switch rule {
    case .cosine: return cyclic(.cosine(kDecay: kDecay))
    case .tanh: return cyclic(.tanh)
    case .poly: return cyclic(.polynomial(power: decayRate, kDecay: kDecay))
    case .step: return StepCurve(decayEpochs: decayEpochs, decayRate: decayRate)
    case .multistep:
      return MultistepCurve(
        milestones: values.numbers("decay-milestones") ?? [], decayRate: decayRate)
    case .plateau:
      return PlateauCurve(
        patience: values.integer("patience-epochs"), decayRate: decayRate, floor: floor,
        isLowerBetter: values.word("eval-metric") == EvaluationMetric.loss.rawValue)
    case .exponential:
      return ExponentialCurve(decayEpochs: decayEpochs, decayRate: decayRate, floor: floor)
    case .onecycle: return OneCycleCurve()
    case .constant: return ConstantCurve()
    }
  }

  private static func warmup(_ rule: ScheduleRule, _ values: HyperparameterValues) -> Warmup {
    Warmup(
      epochs: rule == .onecycle ? 0 : values.integer("warmup-epochs"),
      start: values.number("warmup-lr"),
      isInFront: values.flag("warmup-prefix") && rule != .plateau && rule != .onecycle)
  }

  private static func noise(_ values: HyperparameterValues) -> RateNoise? {
    guard let range = values.numbers("lr-noise") else { return nil }
    return RateNoise(
      start: range[0], end: range.count > 1 ? range[1] : nil,
      limit: values.number("lr-noise-pct"), deviation: values.number("lr-noise-std"),
      seed: UInt64(values.integer("seed")))
  }
}
