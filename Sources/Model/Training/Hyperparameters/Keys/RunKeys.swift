// What a run needs besides the recipe: the seed, threads, what is written.

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
    HyperparameterKey(
      "summary-csv", group: .run, kind: .flag, default: .flag(false), changesResult: false,
      summary: "Writes summary.csv beside metrics.csv, in the form of timm's train.py.",
      explanation: """
        For scripts that read timm's file: epochs count from 0, and the header stands once, at the \
        top. metrics.csv has all of it and more.
        """),
  ]
}
