// What happens to training images before the network sees them.

extension HyperparameterKey {
  static let augmentKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "no-aug", group: .augment, kind: .flag, default: .flag(false),
      summary: "Switches every augmentation of the training images off.",
      explanation: """
        Training images are then resized to the input size and nothing else. Good for a check that a \
        network can learn its training set by heart, bad for accuracy on new images.
        """),
    HyperparameterKey(
      "train-crop", group: .augment,
      kind: .choice(AugmentationSettings.Crop.allCases.map(\.rawValue)), default: .word("rrc"),
      summary: "How training images are cut: a random part, or the whole with a reflected border.",
      explanation: """
        rrc resizes a random part of the image, as scale and ratio say (random resized crop). \
        pad-reflect resizes the whole image, puts crop-padding pixels of its reflection around it and \
        cuts the input size out at random: gentle, and usual for CIFAR.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "crop-padding", group: .augment, kind: .integer(0...512), default: .integer(4),
      summary: "Pixels of reflected border around training images, at input-size.",
      explanation: """
        An image moves by up to as many pixels in both directions. At other sizes, as in progressive \
        learning, the border grows and shrinks with the image.
        """,
      inertWhen: {
        withoutAugmentation($0)
          ?? ($0["train-crop"] == .word("rrc") ? "train-crop is rrc" : nil)
      }),
    HyperparameterKey(
      "scale", group: .augment, kind: .numbers(count: 2...2, .above(0, upTo: 1), ascending: true),
      default: .numbers([0.08, 1]),
      summary: "Share of the image that a random crop covers, from smallest to largest.",
      explanation: """
        The default suits large photographs. Raise the smallest share (0.6 or more) when objects fill \
        the image, as in digits or CIFAR, and when training is short.
        """,
      inertWhen: withoutRandomCrop),
    HyperparameterKey(
      "ratio", group: .augment, kind: .numbers(count: 2...2, .above(0), ascending: true),
      default: .numbers([0.75, 1.3333]),
      summary: "Width over height of a random crop, from narrowest to widest.",
      explanation: """
        The crop is stretched to a square. [1,1] keeps shapes as they are: right where proportions tell the \
        classes apart, as in digits.
        """,
      inertWhen: withoutRandomCrop),
    HyperparameterKey(
      "hflip", group: .augment, kind: .number(.between(0, 1)), default: .number(0.5),
      summary: "Probability of mirroring an image left to right.",
      explanation: "Set it to 0 where left and right carry meaning, as in digits and text.",
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "vflip", group: .augment, kind: .number(.between(0, 1)), default: .number(0),
      summary: "Probability of turning an image upside down.",
      explanation: """
        0.5 helps where there is no up and down, as in microscopy and aerial images; with photographs it \
        only makes the task harder.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "color-jitter", group: .augment, kind: .number(.between(0, 100)), default: .number(0.4),
      summary: "How far brightness, contrast and saturation are changed at random.",
      explanation: """
        Each factor is drawn from 1-j to 1+j, never below 0. 0 leaves the colours alone. A policy of \
        aa takes its place, except for those with 3a in their name.
        """,
      inertWhen: {
        withoutAugmentation($0)
          ?? ($0["aa"] == .none || $0.word("aa").contains("3a")
            ? nil : "aa=\($0.word("aa")) changes the colours")
      }),
    HyperparameterKey(
      "aa", group: .augment, kind: .policy, keywords: ["none"], default: .none,
      summary: "The augmentation policy: RandAugment, AutoAugment, AugMix and others.",
      explanation: """
        rand-m9-n2-mstd0.5-inc1 is RandAugment with 2 operations of strength 9 (of 10) give or take \
        0.5; p is the probability of each, mmax the greatest strength, inc1 makes all operations grow \
        with the strength, mstd101 draws it evenly, t3a, t3aw and tweights are other sets of \
        operations. original and v0 are AutoAugment for ImageNet (originalr and v0r with stronger \
        posterizing; -mstd0.5 may follow), 3a is Three-Augment. augmix-m3-w3-d2 is AugMix with 3 \
        chains of 2 operations; a is the spread of their weights, b1 blends faster. cifar10 is \
        AutoAugment for CIFAR, trivial is TrivialAugment, both with torchvision's numbers. \
        Good for long training and large networks.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "train-interpolation", group: .augment, kind: .choice(["random", "bilinear", "bicubic"]),
      default: .word("random"),
      summary: "How training images are resampled; random draws one of the two per image.",
      explanation: "With no-aug training images are resampled as interpolation says.",
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "reprob", group: .augment, kind: .number(.between(0, 1)), default: .number(0),
      summary: "Random erasing: the probability that a rectangle of an image is covered.",
      explanation: """
        The rectangle takes 2 to 33 % of the area. It teaches not to depend on a single part of the \
        object; 0.25 is usual.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "remode", group: .augment, kind: .choice(Erasing.Mode.allCases.map(\.rawValue)),
      default: .word("const"),
      summary: "What erased rectangles show: the mean colour, a random one, or noise.",
      explanation: "const is the mean, rand one colour per rectangle, pixel one per pixel.",
      inertWhen: withoutErasing),
    HyperparameterKey(
      "recount", group: .augment, kind: .integer(1...100), default: .integer(1),
      summary: "The largest number of rectangles that are erased in an image.",
      explanation: """
        The number is drawn for each image from 1 to this; the area is shared out among them. Several small \
        ones hide less of any one part than a large one.
        """,
      inertWhen: withoutErasing),
    HyperparameterKey(
      "resplit", group: .augment, kind: .flag, default: .flag(false),
      summary: "Leaves the first half of a batch, or the first of aug-splits, without erasing.",
      explanation: """
        It matters with aug-splits, whose first version of an image is meant to stay clean; without it \
        rectangles are erased there too.
        """,
      inertWhen: withoutErasing),
    HyperparameterKey(
      "cutout", group: .augment, kind: .integer(0...4096), default: .integer(0),
      summary: "Side in pixels of a square hole at a random place of every image; 0 makes none.",
      explanation: """
        The hole shows the mean colour and may lie partly outside. Half of input-size suits CIFAR-10, \
        a quarter CIFAR-100. In progressive learning it grows with the image.
        """,
      inertWhen: withoutAugmentation),
  ]

  private static let withoutRandomCrop: @Sendable (HyperparameterValues) -> String? = {
    withoutAugmentation($0)
      ?? ($0["train-crop"] == .word("rrc") ? nil : "train-crop is \($0.word("train-crop"))")
  }

  private static let withoutErasing: @Sendable (HyperparameterValues) -> String? = {
    withoutAugmentation($0) ?? ($0["reprob"] == .number(0) ? "reprob is 0" : nil)
  }

  static let withoutAugmentation: @Sendable (HyperparameterValues) -> String? = {
    $0.flag("no-aug") ? "no-aug is on" : nil
  }
}
