// The learning rate and its schedule.

extension HyperparameterKey {
  static let rateKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "lr", group: .lr, kind: .number(.atLeast(0)), default: .number(0.05),
      summary: "Learning rate at the top of the schedule.",
      explanation: """
        The first thing to tune: too high and the loss jumps or becomes NaN, too low and it creeps. \
        0.05 suits a batch of 32 from scratch; a tenth of it suits pretrained weights.
        """),
    HyperparameterKey(
      "sched", group: .lr, kind: .choice(["cosine", "constant"]), default: .word("cosine"),
      summary: "How the learning rate moves over the epochs.",
      explanation: """
        cosine falls from lr to min-lr along half a cosine over `epochs`, then stays at min-lr for \
        cooldown-epochs. constant stays at lr. 'plot lr' shows it before training.
        """),
    HyperparameterKey(
      "warmup-lr", group: .lr, kind: .number(.atLeast(0)), default: .number(1e-4),
      summary: "Learning rate of the first epoch of the warm-up.",
      explanation: "From there the rate rises in equal steps to lr.",
      inertWhen: { $0.integer("warmup-epochs") == 0 ? "warmup-epochs is 0" : nil }),
    HyperparameterKey(
      "min-lr", group: .lr, kind: .number(.atLeast(0)), default: .number(1e-6),
      summary: "Learning rate at the end of the schedule and in the cool-down.",
      explanation: "The last epochs at a tiny rate settle the weights.",
      inertWhen: underConstantRate),
  ]

  static let underConstantRate: @Sendable (HyperparameterValues) -> String? = {
    $0.word("sched") == "constant" ? "sched is constant" : nil
  }
}
