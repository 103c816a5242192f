// The registry: every key that training understands, by the sections of `show`. Names, defaults and
// meanings are those of the original notebook's train.py wherever it has the key.

extension HyperparameterKey {
  static let runKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "seed", group: .run, kind: .integer(0...Int.max), default: .integer(42),
      summary: "The number from which every random draw follows.",
      explanation: """
        It decides the new weights, the order of the images, every augmentation and dropout. The same \
        seed gives the same bits on the same machine, with any number of threads and workers, and \
        stopped and resumed anywhere. Train with several seeds to see how much of a difference is luck.
        """),
    HyperparameterKey(
      "workers", group: .run, kind: .integer(1...256), default: .integer(2), changesResult: false,
      summary: "Threads that read and augment images ahead of training.",
      explanation: """
        They never change a result. More than two help only with large image files.
        """),
    HyperparameterKey(
      "threads", group: .run, kind: .integer(1...1024), keywords: ["auto"], default: .auto,
      changesResult: false,
      summary: "Threads that compute; auto takes every core this process may use.",
      explanation: """
        They never change a result: work is cut and summed in the same way for any number. Take fewer \
        to leave the machine room for other work.
        """),
    HyperparameterKey(
      "grad-checkpointing", group: .run, kind: .flag, default: .flag(false), changesResult: false,
      summary: "Compute the maps within a block again in backward instead of keeping them.",
      explanation: """
        The results are the same, bit for bit; a step takes about a third longer and a fraction of \
        the memory. 'info memory' shows how much a step needs.
        """),
    HyperparameterKey(
      "eval-metric", group: .run, kind: .choice(["top1", "top5", "loss"]), default: .word("top1"),
      changesResult: false,
      summary: "The test metric that decides which epoch is the best.",
      explanation: """
        The checkpoint of the best epoch is kept beside the last one. top1 and top5 are accuracies, \
        the higher the better; loss is the cross entropy on the test set, the lower the better.
        """),
    HyperparameterKey(
      "log-interval", group: .run, kind: .integer(1...Int.max), default: .integer(50),
      changesResult: false,
      summary: "Batches between two step records in events.jsonl.",
      explanation: """
        The last batch of an epoch is always recorded. The progress line has its own pace, and the \
        epoch table is written in any case.
        """),
  ]

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

  static let augmentKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "no-aug", group: .augment, kind: .flag, default: .flag(false),
      summary: "Switches every augmentation of the training images off.",
      explanation: """
        Training images are then resized to the input size and nothing else. Good for a check that a \
        network can learn its training set by heart, bad for accuracy on new images.
        """),
    HyperparameterKey(
      "scale", group: .augment, kind: .numbers(count: 2, .above(0, upTo: 1), ascending: true),
      default: .numbers([0.08, 1]),
      summary: "Share of the image that a random crop covers, from smallest to largest.",
      explanation: """
        The default suits large photographs. Raise the smallest share (0.6 or more) when objects fill \
        the image, as in digits or CIFAR, and when training is short.
        """,
      inertWhen: withoutAugmentation),
    HyperparameterKey(
      "ratio", group: .augment, kind: .numbers(count: 2, .above(0), ascending: true),
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
      "mean", group: .preprocess, kind: .numbers(count: 3, .finite, ascending: false),
      keywords: ["auto"], default: .auto,
      summary: "What is subtracted from red, green and blue, on a scale from 0 to 1.",
      explanation: """
        auto is what the weights were trained with; another value harms pretrained weights. From \
        scratch any value near the data's mean serves.
        """),
    HyperparameterKey(
      "std", group: .preprocess, kind: .numbers(count: 3, .above(0), ascending: false),
      keywords: ["auto"], default: .auto,
      summary: "What red, green and blue are divided by after mean was subtracted.",
      explanation: "auto is what the weights were trained with, as for mean."),
    HyperparameterKey(
      "interpolation", group: .preprocess, kind: .choice(["bilinear", "bicubic"]),
      keywords: ["auto"], default: .auto,
      summary: "How test images are resampled.",
      explanation: "auto is what the weights were evaluated with."),
  ]

  static let regulariseKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "smoothing", group: .regularise, kind: .number(.from(0, below: 1)), default: .number(0.1),
      summary: "Label smoothing: the share of each label that is spread over all classes.",
      explanation: """
        It keeps the network from being certain, and so the training loss stays well above 0. The \
        test loss is always the plain cross entropy.
        """),
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
  ]

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

  static let rateKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "lr", group: .lr, kind: .number(.atLeast(0)), default: .number(0.05),
      summary: "Learning rate at the top of the schedule.",
      explanation: """
        The first thing to tune: too high and the loss jumps or becomes NaN, too low and it creeps. \
        0.05 suits a batch of 32 from scratch; a tenth of it suits pretrained weights.
        """),
    HyperparameterKey(
      "sched", group: .lr, kind: .choice(["cosine", "constant"]), default: .word("cosine"),
      summary: "How the learning rate moves over the epochs.",
      explanation: """
        cosine falls from lr to min-lr along half a cosine over `epochs`, then stays at min-lr for \
        cooldown-epochs. constant stays at lr. 'plot lr' shows it before training.
        """),
    HyperparameterKey(
      "warmup-lr", group: .lr, kind: .number(.atLeast(0)), default: .number(1e-4),
      summary: "Learning rate of the first epoch of the warm-up.",
      explanation: "From there the rate rises in equal steps to lr.",
      inertWhen: { $0.integer("warmup-epochs") == 0 ? "warmup-epochs is 0" : nil }),
    HyperparameterKey(
      "min-lr", group: .lr, kind: .number(.atLeast(0)), default: .number(1e-6),
      summary: "Learning rate at the end of the schedule and in the cool-down.",
      explanation: "The last epochs at a tiny rate settle the weights.",
      inertWhen: underConstantRate),
  ]

  static let epochKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "epochs", aliases: ["e"], group: .epochs, kind: .integer(1...1_000_000),
      default: .integer(100),
      summary: "Passes over the training images, before the cool-down.",
      explanation: """
        With cosine the cool-down comes on top: epochs=50 and cooldown-epochs=10 train 60 epochs, as \
        timm's schedules do.
        """),
    HyperparameterKey(
      "warmup-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(3),
      summary: "Epochs over which the rate rises from warmup-lr to lr.",
      explanation: """
        They are the first of `epochs`, and the cosine goes on from where it would be by then. A high \
        rate on fresh weights can make training diverge; a short rise prevents it.
        """),
    HyperparameterKey(
      "cooldown-epochs", group: .epochs, kind: .integer(0...1_000_000), default: .integer(10),
      summary: "Further epochs at min-lr after the schedule has ended.",
      explanation: "They are added to `epochs`.",
      inertWhen: underConstantRate),
    HyperparameterKey(
      "val-interval", group: .epochs, kind: .integer(1...1_000_000), default: .integer(1),
      changesResult: false,
      summary: "Epochs from one evaluation on the test set to the next.",
      explanation: "The last epoch is always evaluated. Skipped epochs leave their columns blank."),
  ]

  static let limitKeys: [HyperparameterKey] = [
    HyperparameterKey(
      "checkpoint-every", group: .limits, kind: .integer(0...1_000_000), default: .integer(1),
      changesResult: false,
      summary: "Epochs from one checkpoint to the next.",
      explanation: """
        The start, the end, an interruption and the best epoch are written in any case; 0 writes \
        nothing more than these. What a killed run loses is what came after its last checkpoint.
        """),
    HyperparameterKey(
      "keep", group: .limits, kind: .integer(1...1_000_000), default: .integer(3),
      changesResult: false,
      summary: "How many checkpoints of past epochs stay on disk, besides the best one.",
      explanation: "Each holds the weights and the optimizer's momentum: 8 bytes a parameter."),
    HyperparameterKey(
      "max-steps", group: .limits, kind: .integer(1...Int.max), keywords: ["none"], default: .none,
      summary: "Ends training after so many steps in all, wherever the epoch stands.",
      explanation: "Good for a trial. The epoch that is cut short is evaluated like any other."),
    HyperparameterKey(
      "time-limit", group: .limits, kind: .duration, keywords: ["none"], default: .none,
      changesResult: false,
      summary: "Stops training after so much time, as Ctrl-C would.",
      explanation: """
        The batch is finished and everything is saved: 'resume' goes on as if nothing had happened. It \
        counts from the start or the latest resume.
        """),
  ]

  private static let withoutAugmentation: @Sendable (HyperparameterValues) -> String? = {
    $0.flag("no-aug") ? "no-aug is on" : nil
  }

  private static let underConstantRate: @Sendable (HyperparameterValues) -> String? = {
    $0.word("sched") == "constant" ? "sched is constant" : nil
  }
}
