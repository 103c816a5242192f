// The batches: how many images, how large.

extension HyperparameterKey {
  static let dataKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "batch-size", aliases: ["bs"], group: .data, kind: .integer(1...65536), default: .integer(32),
      summary: "Images per training step.",
      explanation: """
        Larger batches make steadier but fewer steps; scale lr with it, about linearly. Batch \
        normalisation needs some images to average over: below 8 training becomes noisy. The last, \
        incomplete batch of an epoch is left out. Memory grows with it.
        """),
    HyperparameterKey(
      "input-size", group: .data, kind: .imageSize(8...4096), keywords: ["auto"], default: .auto,
      summary: "Side of the square input in pixels, for training and evaluation.",
      explanation: """
        auto is the network's training size (288 for efficientnetv2_rw_s). Time and memory grow with \
        its square. The network halves the size five times: multiples of 32 waste nothing, and small \
        images such as CIFAR's gain accuracy when they are enlarged.
        """),
  ]
}
