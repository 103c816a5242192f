// The learning rate and its schedule.

extension HyperparameterKey {
  static let rateKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "lr", group: .lr, kind: .number(.atLeast(0)), default: .number(0.05),
      summary: "Learning rate at the top of the schedule.",
      explanation: """
        The first thing to tune: too high and the loss jumps or becomes NaN, too low and it creeps. \
        0.05 suits sgd with a batch of 32 from scratch; a tenth of it suits pretrained weights. Adam \
        and its kin take about a fiftieth.
        """),
    HyperparameterKey(
      "sched", group: .lr, kind: .choice(ScheduleRule.allCases.map(\.rawValue)),
      default: .word("cosine"),
      summary: "How the learning rate moves over the epochs.",
      explanation: """
        cosine, tanh and poly fall from lr to min-lr over `epochs`, in one cycle or several, then \
        stay at min-lr for cooldown-epochs. step multiplies by decay-rate every decay-epochs, \
        multistep at decay-milestones, plateau when eval-metric has not improved for patience-epochs, \
        exponential every decay-epochs but counted in steps, as google's EfficientNet. onecycle rises \
        from lr/25 and falls to almost nothing, step by step. constant stays at lr. 'plot lr' shows \
        it before training.
        """),
    HyperparameterKey(
      "sched-on-updates", group: .lr, kind: .flag, default: .flag(false),
      summary: "Moves the rate with every step instead of every epoch.",
      explanation: """
        Right for few long epochs, where a rate that stands still for an epoch is a coarse staircase. \
        Durations are still given in epochs.
        """,
      inertWhen: { values in
        switch values.scheduleRule {
        case .exponential, .onecycle: "sched=\(values.word("sched")) always moves with the steps"
        case .plateau: "sched=plateau watches epochs"
        case .constant where values.integer("warmup-epochs") == 0: "sched is constant"
        default: nil
        }
      }),
    HyperparameterKey(
      "warmup-lr", group: .lr, kind: .number(.atLeast(0)), default: .number(1e-4),
      summary: "Learning rate of the first epoch of the warm-up.",
      explanation: """
        From there the rate rises in equal steps to lr. It only has to be small enough that the first epoch is \
        safe: a hundredth of lr is usual.
        """,
      inertWhen: {
        withoutWarmup($0) ?? ($0.integer("warmup-epochs") == 0 ? "warmup-epochs is 0" : nil)
      }),
    HyperparameterKey(
      "min-lr", group: .lr, kind: .number(.atLeast(0)), default: .number(1e-6),
      summary: "Learning rate at the end of the schedule and in the cool-down.",
      explanation: """
        The last epochs at a tiny rate settle the weights. For plateau and exponential it is the \
        rate below which they do not go.
        """,
      inertWhen: inert(unless: [.cosine, .tanh, .poly, .plateau, .exponential])),
    HyperparameterKey(
      "lr-cycle-limit", group: .lr, kind: .integer(1...1000), default: .integer(1),
      summary: "Cycles of the schedule, each from the top to min-lr.",
      explanation: """
        Warm restarts: every cycle is as long as `epochs` (or longer, see lr-cycle-mul), so training \
        takes that many times longer.
        """,
      inertWhen: inert(unless: cyclic)),
    HyperparameterKey(
      "lr-cycle-mul", group: .lr, kind: .number(.above(0)), default: .number(1),
      summary: "Each cycle's length over that of the one before.",
      explanation: "2 doubles the length from cycle to cycle, as in the SGDR paper.",
      inertWhen: withoutCycles),
    HyperparameterKey(
      "lr-cycle-decay", group: .lr, kind: .number(.above(0)), default: .number(0.5),
      summary: "Each cycle's top rate over that of the one before.",
      explanation: """
        0.5 begins each cycle at half the rate of the one before, so that a restart loses less of what was \
        learnt; 1 restarts at lr itself.
        """,
      inertWhen: withoutCycles),
    HyperparameterKey(
      "lr-k-decay", group: .lr, kind: .number(.above(0)), default: .number(1),
      summary: "Exponent that bends the time of cosine and poly.",
      explanation: """
        Above 1 the rate stays high for longer and falls faster at the end; below 1 the reverse \
        (k-decay, arXiv 2004.05909).
        """,
      inertWhen: inert(unless: [.cosine, .poly])),
    HyperparameterKey(
      "lr-noise", group: .lr, kind: .numbers(count: 1...2, .between(0, 1), ascending: true),
      keywords: ["none"], default: .none,
      summary: "Part of the schedule in which the rate is shaken, in shares: from, or from and to.",
      explanation: """
        lr-noise=[0.4,0.9] shakes the rate from 40 to 90 percent of `epochs`. The noise is the same \
        as timm's for the same seed.
        """),
    HyperparameterKey(
      "lr-noise-pct", group: .lr, kind: .number(.above(0)), default: .number(0.67),
      summary: "Largest noise, as a share of the rate.",
      explanation: """
        With 0.67 the rate lies between a third and five thirds of what the schedule says. Larger draws are \
        thrown away and drawn again.
        """,
      inertWhen: withoutNoise),
    HyperparameterKey(
      "lr-noise-std", group: .lr, kind: .number(.above(0)), default: .number(1),
      summary: "Standard deviation of the noise, before the limit of lr-noise-pct.",
      explanation: "timm 0.5.4 read it and ignored it; here it acts, as in later versions.",
      inertWhen: withoutNoise),
  ]

  static let cyclic = ScheduleRule.allCases.filter(\.isCyclic)

  /// The reason for a key that only some schedules know.
  static func inert(
    unless rules: [ScheduleRule]
  ) -> @Sendable (HyperparameterValues) -> String? {
    { rules.contains($0.scheduleRule) ? nil : "sched is \($0.word("sched"))" }
  }

  static let withoutWarmup: @Sendable (HyperparameterValues) -> String? = {
    $0.scheduleRule == .onecycle ? "sched=onecycle has a rise of its own" : nil
  }

  private static let withoutCycles: @Sendable (HyperparameterValues) -> String? = {
    inert(unless: cyclic)($0) ?? ($0.integer("lr-cycle-limit") == 1 ? "lr-cycle-limit is 1" : nil)
  }

  private static let withoutNoise: @Sendable (HyperparameterValues) -> String? = {
    $0["lr-noise"] == .none ? "lr-noise is none" : nil
  }
}
