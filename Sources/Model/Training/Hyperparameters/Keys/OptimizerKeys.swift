// The rule that turns gradients into new weights, and what happens around it.

extension HyperparameterKey {
  static let optimizerKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "opt", group: .optimizer, kind: .choice(OptimizerChoice.allCases.map(\.rawValue)),
      default: .word("sgd"),
      summary: "The rule that turns gradients into new weights.",
      explanation: """
        sgd is stochastic gradient descent with Nesterov's momentum, as in timm; momentum is the same \
        without Nesterov's look ahead. adamw and the other relatives of adam, rmsprop (rmsproptf is \
        TensorFlow's form) and adafactor divide by the size of past gradients: they want a far \
        smaller lr, such as 1e-3. lamb and lars give each tensor a step as long as its weights ask \
        for, which serves very large batches. adamw and adafactor shorten weights by weight-decay \
        directly, all others add it to the gradient. In front of any rule, lookahead_ lets the \
        weights return half the way every sixth step and at the end of an epoch.
        """),
    HyperparameterKey(
      "momentum", group: .optimizer, kind: .number(.from(0, below: 1)), default: .number(0.9),
      summary: "How much of the last step is carried on into the next.",
      explanation: """
        0.9 acts like averaging over ten steps, 0.99 over a hundred; 0 is plain gradient descent, with nothing \
        to remember. Steps grow with it: after raising it to 0.99 lower lr to a tenth.
        """,
      inertWhen: { $0.rule.hasMomentum ? nil : "opt=\($0.word("opt")) has no momentum" }),
    HyperparameterKey(
      "opt-betas", group: .optimizer,
      kind: .numbers(count: 2...2, .from(0, below: 1), ascending: false), keywords: ["auto"],
      default: .auto,
      summary: "How much of the running means of gradients and of their squares stays in a step.",
      explanation: """
        auto is [0.9,0.999] for adam, its relatives and lamb. A smaller second number, such as 0.98, \
        follows changing gradients faster. adafactor takes the first alone and keeps no mean of its \
        steps with auto.
        """,
      inertWhen: { $0.rule.hasBetas ? nil : "opt=\($0.word("opt")) has no betas" }),
    HyperparameterKey(
      "opt-eps", group: .optimizer, kind: .number(.between(1e-30, 1)), keywords: ["auto"],
      default: .auto,
      summary: "What is added to a denominator, so that it is never 0.",
      explanation: """
        auto is the rule's own: 1e-8 for most, 1e-10 for rmsproptf, 1e-6 for lamb and adadelta, 1e-30 \
        for adafactor. Larger values, such as 1e-3 for rmsproptf, calm the first steps.
        """,
      inertWhen: {
        $0.rule.defaultEpsilon == nil ? "opt=\($0.word("opt")) divides by nothing" : nil
      }),
    HyperparameterKey(
      "weight-decay", aliases: ["wd"], group: .optimizer, kind: .number(.atLeast(0)),
      default: .number(2e-5),
      summary: "How strongly weights are pulled towards 0.",
      explanation: """
        Biases and the scale and shift of batch normalisation are left out, as in timm. 1e-4 or 5e-4 \
        are usual for small data sets, 0.01 to 0.1 with adamw.
        """),
    HyperparameterKey(
      "layer-decay", group: .optimizer, kind: .number(.above(0, upTo: 1)), keywords: ["none"],
      default: .none,
      summary: "What the learning rate is multiplied by from each layer to the one before it.",
      explanation: """
        The classifier learns at lr, each block at so much of the rate of the block behind it, the \
        stem slowest. 0.65 to 0.9 keep what pretrained weights know, above all those of transformers.
        """),
    HyperparameterKey(
      "layer-decay-min-scale", group: .optimizer, kind: .number(.between(0, 1)),
      default: .number(0),
      summary: "The least share of lr that layer-decay leaves a layer.",
      explanation: """
        The layers near the images learn at this share of lr where layer-decay would leave them less.
        """,
      inertWhen: withoutLayerDecay),
    HyperparameterKey(
      "layer-decay-no-opt-scale", group: .optimizer, kind: .number(.above(0, upTo: 1)),
      keywords: ["none"], default: .none,
      summary: "The share of lr below which layer-decay lets a layer keep its weights.",
      explanation: """
        Layers whose share is smaller are frozen, which makes steps faster, as in timm. A share that \
        layer-decay-min-scale raises counts as raised.
        """,
      inertWhen: withoutLayerDecay),
    HyperparameterKey(
      "clip-grad", group: .optimizer, kind: .number(.above(0)), keywords: ["none"],
      default: .none,
      summary: "Limits the gradients of a step; clip-mode says how.",
      explanation: """
        With clip-mode=norm 1 is usual: rare large gradients then do no harm. For agc 0.01 to 0.02.
        """),
    HyperparameterKey(
      "clip-mode", group: .optimizer, kind: .choice(ClippingMode.allCases.map(\.rawValue)),
      default: .word("norm"),
      summary: "What clip-grad limits.",
      explanation: """
        norm is the length of all gradients together, value each single number. agc is the gradient \
        of each output of a layer, as a share of the length of its weights; the classifier is spared.
        """,
      inertWhen: { $0.optionalNumber("clip-grad") == nil ? "clip-grad is none" : nil }),
    HyperparameterKey(
      "grad-accum-steps", group: .optimizer, kind: .integer(1...65536), default: .integer(1),
      summary: "Batches whose mean gradient makes one step.",
      explanation: """
        batch-size=8 with 4 of them learns about like batch-size=32 in a quarter of the memory; batch \
        normalisation still averages over 8. A step is then one update of the weights: steps, \
        max-steps, stop-at and the metrics count these. The last step of an epoch has the batches that \
        are left.
        """),
    HyperparameterKey(
      "model-ema", group: .optimizer, kind: .flag, default: .flag(false),
      summary: "Keeps a running mean of the weights, which is what is evaluated.",
      explanation: """
        The mean of the weights of many steps, batch normalisation's statistics included, is often \
        better than the weights of the last one. eval_loss, top1 and top5 and the best epoch are those \
        of the mean; checkpoints hold both, and 'eval RUN raw' measures the weights themselves.
        """),
    HyperparameterKey(
      "model-ema-decay", group: .optimizer, kind: .number(.from(0, below: 1)),
      default: .number(0.9998),
      summary: "How much of the running mean of the weights stays in a step.",
      explanation: """
        0.9998 averages over about 5000 steps. In a short training take 0.99 or 0.999, or switch \
        model-ema-warmup on: else the mean stays near the first weights.
        """,
      inertWhen: withoutAverage),
    HyperparameterKey(
      "model-ema-warmup", group: .optimizer, kind: .flag, default: .flag(false),
      summary: "Lets the running mean of the weights follow faster in the first steps.",
      explanation: """
        In step n at most 1 - n^(-2/3) of the mean stays, as in timm: 0.9 after 32 steps, 0.99 after \
        1000.
        """,
      inertWhen: withoutAverage),
  ]

  private static let withoutLayerDecay: @Sendable (HyperparameterValues) -> String? = {
    $0.optionalNumber("layer-decay") == nil ? "layer-decay is none" : nil
  }

  private static let withoutAverage: @Sendable (HyperparameterValues) -> String? = {
    $0.flag("model-ema") ? nil : "model-ema is off"
  }
}

extension HyperparameterValues {
  /// The rule that `opt` names.
  fileprivate var rule: OptimizerRule { OptimizerChoice(rawValue: word("opt"))?.rule ?? .sgd }
}
