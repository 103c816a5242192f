import DSL
import Model

// `fork`: a new run from a checkpoint of another one.

enum ForkCommand {
  static let fork = Command<WorkbenchState>(
    Signature(
      "fork", group: "training", "Trains on from a checkpoint under a new name.",
      discussion: """
        fork RUN@EPOCH name=NEW begins the run NEW where RUN stood after that epoch, with its weights, \
        optimizer and schedule; RUN stays as it is. Without changes NEW becomes what RUN became, to \
        the last bit; KEY=VALUE changes settings from there on. RUN@best and RUN@last are understood; \
        RUN alone means its last checkpoint. lineage.json in the new folder tells where it came from.
        """,
      positionals: [Positional("from", .named("checkpoint"), "RUN or RUN@EPOCH")],
      keys: [
        Parameter("name", .word, "the new run's name", required: true)
      ] + StopPoint.parameters + [TrainingCommands.moreEpochs]
        + HyperparameterKey.parameters.filter { $0.name != "epochs" },
      effect: .change, reads: [.argument("from", prefix: "run:")],
      writes: [
        .slot("model"), .slot("data"), .argument("name", prefix: "run:"), .slot("run:current"),
      ],
      examples: [
        Example("fork first@best name=lower lr=0.01", "a lower rate from the best epoch on"),
        Example("fork quickstart name=longer epochs=+1", "another epoch, the original kept"),
      ])
  ) { invocation, state in
    let stop = StopPoint(invocation)
    if let continuation = state.takeContinuation() {
      return try continuation.run(model: nil, stop: stop, state)
    }
    let parts = invocation.requiredString("from").split(
      separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let parent = try RunAccess.directory(String(parts[0]), state)
    let changes = invocation.keys.filter { !TrainingCommands.ownKeys.contains($0.name) }
    // What cannot be set is found before there is a folder.
    let which = parts.count > 1 ? String(parts[1]) : "last"
    let checkpoint = try RunAccess.checkpoint(of: parent, which, state)
    var settings = checkpoint.state.parameters
    try TrainingCommands.change(&settings, by: invocation, state)
    let run = try RunForking.fork(
      parent, at: checkpoint, to: invocation.requiredString("name"),
      changes: Dictionary(changes.map { ($0.name, $0.text) }) { $1 }, state)
    try TrainingRun.reopen(run, state) { $0 = settings }.train(stop: stop)
  }
}
