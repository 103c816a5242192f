// How test images become network input; auto is what belongs to the weights.

extension HyperparameterKey {
  static let preprocessKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "crop-pct", group: .preprocess, kind: .number(.above(0, upTo: 1)), keywords: ["auto"],
      default: .auto,
      summary: "Share of the resized test image that the centre crop keeps.",
      explanation: """
        The shorter side is resized to input-size / crop-pct, and the centre is cut out. 1 keeps all \
        of a square image: right for CIFAR and digits. auto is what the weights were evaluated with.
        """),
    HyperparameterKey(
      "mean", group: .preprocess, kind: .numbers(count: 1...3, .finite, ascending: false),
      keywords: ["auto"], default: .auto,
      summary: "What is subtracted from red, green and blue, on a scale from 0 to 1.",
      explanation: """
        auto is what the weights were trained with; another value harms pretrained weights. From \
        scratch any value near the data's mean serves. One number holds for all channels; a network \
        of one channel takes the mean of three.
        """),
    HyperparameterKey(
      "std", group: .preprocess, kind: .numbers(count: 1...3, .above(0), ascending: false),
      keywords: ["auto"], default: .auto,
      summary: "What red, green and blue are divided by after mean was subtracted.",
      explanation: """
        auto is what the weights were trained with; another value harms pretrained weights. From scratch any \
        value near the spread of the data serves.
        """),
    HyperparameterKey(
      "interpolation", group: .preprocess, kind: .choice(["bilinear", "bicubic"]),
      keywords: ["auto"], default: .auto,
      summary: "How test images are resampled.",
      explanation: """
        auto is what the weights were evaluated with. It matters little: another filter moves the accuracy of \
        pretrained weights by a few tenths of a percent.
        """),
  ]
}
