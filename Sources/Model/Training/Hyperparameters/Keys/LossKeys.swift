// What training makes smaller.

extension HyperparameterKey {
  static let lossKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "smoothing", group: .loss, kind: .number(.from(0, below: 1)), default: .number(0.1),
      summary: "Label smoothing: the share of each label that is spread over all classes.",
      explanation: """
        It keeps the network from being certain, and so the training loss stays well above 0. The \
        test loss is always the plain cross entropy.
        """),
    HyperparameterKey(
      "bce-loss", group: .loss, kind: .flag, default: .flag(false),
      summary: "Asks a yes-or-no question for each class instead of choosing among them.",
      explanation: """
        Binary cross entropy goes well with mixup and CutMix, where an image shows two classes. Its \
        gradients are smaller, as it is a mean over the classes: raise lr, or set bce-sum=on. timm \
        0.5.4 ignored it without mixup and smoothing; here it always acts.
        """),
    HyperparameterKey(
      "bce-sum", group: .loss, kind: .flag, default: .flag(false),
      summary: "Adds the binary losses of the classes instead of averaging them.",
      explanation: """
        The loss and its gradients are then as many times larger as there are classes, so that a rate that \
        suits the plain cross entropy suits them too.
        """,
      inertWhen: withoutBinaryLoss),
    HyperparameterKey(
      "bce-target-thresh", group: .loss, kind: .number(.between(0, 1)), keywords: ["none"],
      default: .none,
      summary: "Binary targets above it count as 1, all others as 0.",
      explanation: """
        With 0.2 both classes of a mixed image count in full unless one is hardly there. Smoothing \
        has no effect then.
        """,
      inertWhen: withoutBinaryLoss),
    HyperparameterKey(
      "poly-loss", group: .loss, kind: .number(.atLeast(-1)), default: .number(0),
      summary: "Adds so many times (1 - probability of the right class) to the cross entropy.",
      explanation: """
        PolyLoss (arXiv 2204.12511): 2 suits EfficientNetV2 on ImageNet; 0 is the plain cross entropy.
        """),
    HyperparameterKey(
      "jsd-loss", group: .loss, kind: .flag, default: .flag(false),
      summary: "Punishes different answers to the views of an image that aug-splits makes.",
      explanation: """
        AugMix's Jensen-Shannon divergence, 12 times, beside the cross entropy of the clean view. It \
        makes a network robust against noise and blur, and takes as many times longer as there are \
        views. It needs aug-splits of 2 or more; 3 is usual.
        """),
  ]

  private static let withoutBinaryLoss: @Sendable (HyperparameterValues) -> String? = {
    $0.flag("bce-loss") ? nil : "bce-loss is off"
  }
}
