// What ends a run early, and what is kept of it.

extension HyperparameterKey {
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
      "checkpoint-steps", group: .limits, kind: .integer(1...Int.max), keywords: ["none"],
      default: .none, changesResult: false,
      summary: "Steps from one checkpoint within an epoch to the next.",
      explanation: """
        For epochs that take hours: a killed run goes on from its last such checkpoint, to the same \
        bits. It replaces the one before it.
        """),
    HyperparameterKey(
      "keep", group: .limits, kind: .integer(1...1_000_000), default: .integer(3),
      changesResult: false,
      summary: "How many checkpoints of past epochs stay on disk, besides the best one.",
      explanation: """
        Each holds the weights and what the optimizer remembers, 8 bytes a parameter with sgd and 12 \
        with adamw, and the running mean of model-ema.
        """),
    HyperparameterKey(
      "keep-best", group: .limits, kind: .integer(0...1_000_000), default: .integer(0),
      changesResult: false,
      summary: "How many checkpoints stay on disk for the best values of eval-metric.",
      explanation: """
        They are kept besides those of 'keep', by the rules of timm's CheckpointSaver: of equal \
        epochs the earlier stays, and epochs that were not evaluated only fill up. 'checkpoint list' \
        shows them; with 0 the best one of all still has a file of its own.
        """),
    HyperparameterKey(
      "early-stop", group: .limits, kind: .integer(1...1_000_000), keywords: ["none"],
      default: .none,
      summary: "Ends training when eval-metric has not improved for so many epochs.",
      explanation: """
        The checkpoint of the best epoch is there in any case: 'eval RUN weights=best'. With cosine \
        the last epochs improve most, so be patient, or take a constant rate. With val-interval it \
        is decided where an epoch was evaluated.
        """),
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
}
