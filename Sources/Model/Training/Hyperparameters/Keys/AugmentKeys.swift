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
      "scale", group: .augment, kind: .numbers(count: 2...2, .above(0, upTo: 1), ascending: true),
      default: .numbers([0.08, 1]),
      summary: "Share of the image that a random crop covers, from smallest to largest.",
      explanation: """
        The default suits large photographs. Raise the smallest share (0.6 or more) when objects fill \
        the image, as in digits or CIFAR, and when training is short.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "ratio", group: .augment, kind: .numbers(count: 2...2, .above(0), ascending: true),
      default: .numbers([0.75, 1.3333]),
      summary: "Width over height of a random crop, from narrowest to widest.",
      explanation: "The crop is stretched to a square; [1,1] keeps shapes as they are.",
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "hflip", group: .augment, kind: .number(.between(0, 1)), default: .number(0.5),
      summary: "Probability of mirroring an image left to right.",
      explanation: "Set it to 0 where left and right carry meaning, as in digits and text.",
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "vflip", group: .augment, kind: .number(.between(0, 1)), default: .number(0),
      summary: "Probability of turning an image upside down.",
      explanation: "It helps where there is no up and down, as in microscopy and aerial images.",
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "color-jitter", group: .augment, kind: .number(.atLeast(0)), default: .number(0.4),
      summary: "How far brightness, contrast and saturation are changed at random.",
      explanation: """
        Each factor is drawn from 1-j to 1+j, never below 0. 0 leaves the colours alone.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "train-interpolation", group: .augment, kind: .choice(["random", "bilinear", "bicubic"]),
      default: .word("random"),
      summary: "How training images are resampled; random draws one of the two per image.",
      explanation: "With no-aug training images are resampled as interpolation says.",
      inertWhen: withoutAugmentation),
  ]

  static let withoutAugmentation: @Sendable (HyperparameterValues) -> String? = {
    $0.flag("no-aug") ? "no-aug is on" : nil
  }
}
