// What keeps a network from learning its training images by heart.

extension HyperparameterKey {
  static let regulariseKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "drop", group: .regularise, kind: .number(.from(0, below: 1)), default: .number(0),
      summary: "Dropout: the share of features that is set to 0 in front of the classifier.",
      explanation: """
        It acts in training alone. 0.2 to 0.4 help when a large network learns from few images.
        """),
    HyperparameterKey(
      "drop-path", group: .regularise, kind: .number(.from(0, below: 1)), default: .number(0),
      summary: "Stochastic depth: the share of images that skip the deepest block's branch.",
      explanation: """
        It acts in training alone and grows from 0 with the depth of the block. 0.1 to 0.2 help large \
        networks; a block without a skip connection is never left out.
        """),
    HyperparameterKey(
      "freeze", group: .regularise, kind: .patterns, keywords: ["none", "backbone"],
      default: .none,
      summary: "What keeps its weights: backbone, or paths and patterns of tensors.",
      explanation: """
        backbone is everything but the classifier. blocks.0 is everything below that path, \
        blocks.0..3 the first four stages (blocks of a transformer), stem what is in front of the \
        blocks; * stands for any text, as in *.se or blocks.*.bn2. Several are joined by commas. \
        Backward ends at the first layer that trains, so freezing the front makes steps faster. \
        'info params' counts what trains, 'info layers' lists paths.
        """),
    HyperparameterKey(
      "freeze-bn", group: .regularise, kind: .flag, default: .flag(false),
      summary:
        "Batch norms of what is frozen use their running statistics, which stay as they are.",
      explanation: """
        Without it they still take the mean and variance of each batch, and move the running ones. \
        With freeze=none it acts on all batch norms, whose scale and shift go on training. Good for \
        small batches and for pretrained weights.
        """),
    HyperparameterKey(
      "head-epochs", group: .regularise, kind: .integer(0...1_000_000), default: .integer(0),
      summary: "Epochs at the beginning in which the classifier alone trains.",
      explanation: """
        A new classifier's first gradients are wild and would spoil pretrained weights. For so many \
        epochs the backbone stays as it is, batch norms included, as with freeze=backbone \
        freeze-bn=on; then everything trains that freeze leaves, and the optimizer begins anew. The \
        epochs are the first of the training, and the learning rate follows its schedule as without: \
        for a classifier that should learn fast set warmup-epochs to at most as many.
        """,
      inertWhen: { $0.holdsBackbone ? "freeze=backbone trains nothing but the classifier" : nil }),
    HyperparameterKey(
      "bn-momentum", group: .regularise, kind: .number(.between(0, 1)), keywords: ["auto"],
      default: .auto,
      summary: "Share of a batch in the running statistics of batch norms, at each step.",
      explanation: """
        auto is what the network was trained with, 0.1 for timm's. Evaluation uses the running \
        statistics: take less for small batches and long training (the paper's 0.01), more for a \
        training of few steps. 0 leaves them as they are.
        """),
  ]
}
