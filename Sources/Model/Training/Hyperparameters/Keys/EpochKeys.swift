// How long training lasts, in epochs.

extension HyperparameterKey {
  static let epochKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "epochs", aliases: ["e"], group: .epochs, kind: .integer(1...1_000_000),
      default: .integer(100),
      summary: "Passes over the training images, before the cool-down.",
      explanation: """
        With cosine, tanh and poly the cool-down comes on top: epochs=50 and cooldown-epochs=10 train \
        60 epochs, as timm's schedules do.
        """),
    HyperparameterKey(
      "warmup-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(3),
      summary: "Epochs over which the rate rises from warmup-lr to lr.",
      explanation: """
        They are the first of `epochs`, and the schedule goes on from where it would be by then, \
        unless warmup-prefix is on. A high rate on fresh weights can make training diverge; a short \
        rise prevents it.
        """,
      inertWhen: withoutWarmup),
    HyperparameterKey(
      "warmup-prefix", group: .epochs, kind: .flag, default: .flag(false),
      summary: "Puts the warm-up in front of the schedule, as further epochs.",
      explanation: "Then the schedule begins at its top when the warm-up has ended.",
      inertWhen: {
        withoutWarmup($0) ?? ($0.integer("warmup-epochs") == 0 ? "warmup-epochs is 0" : nil)
          ?? ($0.scheduleRule == .plateau ? "sched is plateau" : nil)
      }),
    HyperparameterKey(
      "cooldown-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(10),
      summary: "Further epochs at min-lr after the schedule has ended.",
      explanation: """
        They come on top of `epochs`: 50 and 10 train 60. Steps at a tiny rate settle the weights; set it to \
        0 for a short training, which they would make far longer.
        """,
      inertWhen: inert(unless: cyclic)),
    HyperparameterKey(
      "decay-epochs", group: .epochs, kind: .number(.above(0)), default: .number(100),
      summary: "Epochs from one fall of the rate to the next.",
      explanation: "It need not be whole: EfficientNet's recipe is 2.4 with decay-rate=0.97.",
      inertWhen: inert(unless: [.step, .exponential])),
    HyperparameterKey(
      "decay-milestones", group: .epochs,
      kind: .numbers(count: 1...100, .above(0), ascending: true),
      default: .numbers([90, 180, 270]),
      summary: "Epochs at which multistep lowers the rate.",
      explanation: "As in timm a milestone acts one epoch early: 10 changes the epoch numbered 9.",
      inertWhen: inert(unless: [.multistep])),
    HyperparameterKey(
      "patience-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(10),
      summary: "Epochs without a better eval-metric before plateau lowers the rate.",
      explanation: """
        Too few lower the rate at every chance fluctuation; a few more than such a fluctuation lasts are \
        right. An epoch that is not evaluated (val-interval) does not count.
        """,
      inertWhen: inert(unless: [.plateau])),
    HyperparameterKey(
      "decay-rate", aliases: ["dr"], group: .epochs, kind: .number(.above(0)),
      default: .number(0.1),
      summary: "Factor of each fall of the rate; under poly the power of the curve.",
      explanation: "0.1 is a tenth. Under poly 1 is a straight line and 0.5 a square root.",
      inertWhen: inert(unless: [.step, .multistep, .plateau, .exponential, .poly])),
    HyperparameterKey(
      "epoch-repeats", group: .epochs, kind: .number(.atLeast(0)), default: .number(0),
      changesResult: false,
      summary: "How often an epoch goes through a TensorFlow data set.",
      explanation: """
        train.py passes it to the readers of TensorFlow data sets alone. None of the data sets here \
        is one, so it has no effect, as it had none on CIFAR in the original notebook.
        """,
      inertWhen: { _ in "no data set here is read by TensorFlow" }),
    HyperparameterKey(
      "val-interval", group: .epochs, kind: .integer(1...1_000_000), default: .integer(1),
      changesResult: false,
      summary: "Epochs from one evaluation on the test set to the next.",
      explanation: """
        Raise it where the test set takes a good part of an epoch's time. The last epoch is always evaluated; \
        skipped epochs leave their columns blank and cannot become the best one.
        """),
  ]
}
