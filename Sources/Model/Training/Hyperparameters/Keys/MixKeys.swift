// How training images are mixed with each other and shown in several versions.

extension HyperparameterKey {
  static let mixKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "mixup", group: .augment, kind: .number(.between(0, 100)), default: .number(0),
      summary: "Mixup: images are blended in pairs, with shares from a beta distribution.",
      explanation: """
        The number is both parameters of the distribution: 0 switches Mixup off, 0.2 gives mostly one \
        image with a little of the other, 1 any share. The targets are blended alike. It helps in long \
        training of large networks and slows the fit of the training set. batch-size must be even.
        """),
    HyperparameterKey(
      "cutmix", group: .augment, kind: .number(.between(0, 100)), default: .number(0),
      summary: "CutMix: a box of each image is replaced by that of another one.",
      explanation: """
        The number is both parameters of the beta distribution of the share that stays: 0 switches \
        CutMix off, 1 is usual. The targets are shared out by area. batch-size must be even.
        """,
      inertWhen: { $0["cutmix-minmax"] == .none ? nil : "cutmix-minmax is set" }),
    HyperparameterKey(
      "cutmix-minmax", group: .augment,
      kind: .numbers(count: 2...2, .between(0, 1), ascending: true), keywords: ["none"],
      default: .none,
      summary: "Smallest and largest side of CutMix's boxes, as shares of the image's side.",
      explanation: """
        It switches CutMix on, with boxes that lie inside of the image and need not be square; usual \
        is [0.2,0.8].
        """),
    HyperparameterKey(
      "mixup-prob", group: .augment, kind: .number(.between(0, 1)), default: .number(1),
      summary: "Probability that Mixup or CutMix is done to a batch, pair or image.",
      explanation: """
        mixup-mode says which of the three it is. Below 1 the rest stays unmixed: 0.5 is gentler on short \
        trainings, which mixing slows.
        """, inertWhen: withoutMixing),
    HyperparameterKey(
      "mixup-switch-prob", group: .augment, kind: .number(.between(0, 1)), default: .number(0.5),
      summary: "Probability of CutMix, when Mixup is on as well.",
      explanation: """
        What is mixed is mixed in one of the two ways: 1 is CutMix alone, 0 Mixup alone, and the default \
        both equally often.
        """,
      inertWhen: {
        let cuts = $0["cutmix"] != .number(0) || $0["cutmix-minmax"] != .none
        return cuts && $0["mixup"] != .number(0) ? nil : "mixup and cutmix are not both on"
      }),
    HyperparameterKey(
      "mixup-mode", group: .augment, kind: .choice(BatchMixing.Mode.allCases.map(\.rawValue)),
      default: .word("batch"),
      summary: "What shares a draw of Mixup and CutMix: the batch, a pair of images, or none.",
      explanation: """
        batch mixes all images of a batch alike, pair the two images that are mixed with each other, \
        elem draws for every image. half draws for every image of the first half, mixes it with one \
        of the second half, and leaves that half out: a step then computes batch-size / 2 images, \
        with mixing switched off by mixup-off-epoch too, as in timm.
        """,
      inertWhen: withoutMixing),
    HyperparameterKey(
      "mixup-off-epoch", group: .augment, kind: .integer(0...1_000_000), default: .integer(0),
      summary: "Epochs after which Mixup and CutMix end; 0 keeps them on.",
      explanation: "The last epochs without mixing fit the network to images as they are.",
      inertWhen: withoutMixing),
    HyperparameterKey(
      "aug-splits", group: .augment, kind: .integer(0...16), default: .integer(0),
      summary: "Versions of each image in a batch: one with crop and flips alone, others with all.",
      explanation: """
        0 is the usual single version, 1 is not possible. With 3 a step takes 3 times batch-size \
        images, and as much more time and memory. It is meant for aa=augmix and a loss that compares \
        the versions.
        """),
  ]

  private static let withoutMixing: @Sendable (HyperparameterValues) -> String? = {
    AugmentationSettings.mixingKey($0) == nil ? "mixup and cutmix are off" : nil
  }
}
