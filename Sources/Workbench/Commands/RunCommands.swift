import DSL
import Foundation
import Model

// `metrics`, `checkpoint`: what was trained. `runs` and `compare` have files of their own.

enum RunCommands {
  static let all: [Command<WorkbenchState>] = [
    RunListing.runs, CompareCommand.compare, metrics, checkpoint,
  ]

  private static let metrics = Command<WorkbenchState>(
    Signature(
      "metrics", group: "runs", "Shows the numbers of every epoch of a run.",
      positionals: [
        Positional("run", .named("run"), "the run; the current one without", .optional)
      ],
      flags: [Flag("json", "one JSON object per epoch"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look,
      reads: [.argument("run", prefix: "run:"), .slot("run:current")],
      examples: [
        Example("metrics quickstart", "a row per epoch"),
        Example("metrics quickstart > metrics.csv", "to a file"),
      ])
  ) { invocation, state in
    let run = try RunAccess.directory(invocation.string("run"), state)
    let table = RunTables.metrics(try MetricsTable(contentsOf: run.metrics))
    try state.show(table, as: invocation)
  }

  private static let checkpoint = Command<WorkbenchState>(
    Signature(
      "checkpoint", group: "runs", "Lists a run's checkpoints, or loads one into the network.",
      discussion: """
        A checkpoint is named RUN@EPOCH, RUN@last or RUN@best; RUN alone means its last one. \
        'checkpoint load' takes the weights; 'resume' goes on training.
        """,
      positionals: [
        Positional("action", .choice(["list", "load"]), "what to do"),
        Positional(
          "which", .named("checkpoint"), "RUN or RUN@EPOCH; the current run without", .optional),
      ],
      flags: [
        Flag("json", "one JSON object per checkpoint"), Flag("csv", "comma-separated values"),
      ],
      effect: .change, reads: [.argument("which", prefix: "run:"), .slot("run:current")],
      writes: [.slot("model")],
      examples: [
        Example("checkpoint list quickstart", "the files that are kept"),
        Example("checkpoint load quickstart@best; eval", "the weights of the best epoch"),
      ])
  ) { invocation, state in
    let parts = (invocation.string("which") ?? "").split(
      separator: "@", omittingEmptySubsequences: false)
    let name = parts.first.map(String.init).flatMap { $0.isEmpty ? nil : $0 }
    if invocation.string("action") == "list" {
      guard parts.count < 2 else {
        throw CommandError("'checkpoint list' takes a run, not a checkpoint", argument: "which")
      }
      state.onlyLooked = true
      let table = try RunAccess.checkpointTable(try RunAccess.directory(name, state), state)
      try state.show(table, as: invocation)
    } else {
      let run = try RunAccess.directory(name, state)
      let which = parts.count > 1 ? String(parts[1]) : "last"
      let model = try RunAccess.model(of: run.name, which: which, state)
      state.model = model
      state.console.write(ModelReport.summary(model, state))
    }
  }
}

/// Dates as people read them.
enum DateText {
  /// Local time to the minute: `2026-01-02 10:11`.
  static func minute(_ date: Date) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "yyyy-MM-dd HH:mm"
    return formatter.string(from: date)
  }

  /// Universal time to the second: `2026-01-02T10:11:12Z`.
  static func universal(_ date: Date) -> String {
    ISO8601DateFormatter().string(from: date)
  }
}
