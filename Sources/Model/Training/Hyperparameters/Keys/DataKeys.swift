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
    HyperparameterKey(
      "sampler", group: .data, kind: .choice(Sampler.allCases.map(\.rawValue)),
      default: .word("shuffle"),
      summary: "Which images an epoch takes: every one once, or every class equally often.",
      explanation: """
        shuffle takes every image once, in an order drawn from seed and epoch. balanced is for \
        classes of unequal size: an epoch has as many images as ever, but each class equally many, \
        so that images of small classes repeat and large classes take several epochs to pass.
        """),
  ]
}
