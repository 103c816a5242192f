// How long training lasts, in epochs.

extension HyperparameterKey {
  static let epochKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "epochs", aliases: ["e"], group: .epochs, kind: .integer(1...1_000_000),
      default: .integer(100),
      summary: "Passes over the training images, before the cool-down.",
      explanation: """
        With cosine the cool-down comes on top: epochs=50 and cooldown-epochs=10 train 60 epochs, as \
        timm's schedules do.
        """),
    HyperparameterKey(
      "warmup-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(3),
      summary: "Epochs over which the rate rises from warmup-lr to lr.",
      explanation: """
        They are the first of `epochs`, and the cosine goes on from where it would be by then. A high \
        rate on fresh weights can make training diverge; a short rise prevents it.
        """),
    HyperparameterKey(
      "cooldown-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(10),
      summary: "Further epochs at min-lr after the schedule has ended.",
      explanation: "They are added to `epochs`.",
      inertWhen: underConstantRate),
    HyperparameterKey(
      "val-interval", group: .epochs, kind: .integer(1...1_000_000), default: .integer(1),
      changesResult: false,
      summary: "Epochs from one evaluation on the test set to the next.",
      explanation: "The last epoch is always evaluated. Skipped epochs leave their columns blank."),
  ]
}
