// The rule that turns gradients into new weights.

extension HyperparameterKey {
  static let optimizerKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "opt", group: .optimizer, kind: .choice(["sgd", "momentum"]), default: .word("sgd"),
      summary: "The rule that turns gradients into new weights.",
      explanation: """
        sgd is stochastic gradient descent with Nesterov's momentum, as in timm; momentum is the same \
        without Nesterov's look ahead.
        """),
    HyperparameterKey(
      "momentum", group: .optimizer, kind: .number(.from(0, below: 1)), default: .number(0.9),
      summary: "How much of the last step is carried on into the next.",
      explanation: "0 is plain gradient descent. 0.9 acts like averaging over ten steps."),
    HyperparameterKey(
      "weight-decay", aliases: ["wd"], group: .optimizer, kind: .number(.atLeast(0)),
      default: .number(2e-5),
      summary: "How strongly weights are pulled towards 0.",
      explanation: """
        Biases and the scale and shift of batch normalisation are left out, as in timm. 1e-4 or 5e-4 \
        are usual for small data sets.
        """),
  ]
}
