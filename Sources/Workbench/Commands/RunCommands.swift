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
      reads: [.argument("run", prefix: "run:"), .only(.slot("run:current"), .missing("run"))],
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
      "checkpoint", group: "runs",
      "Lists a run's checkpoints, loads one into the network, or removes old ones.",
      discussion: """
        A checkpoint is named RUN@EPOCH, RUN@last or RUN@best; RUN alone means its last one. \
        'checkpoint load' takes the weights; 'resume' goes on training.

        'checkpoint prune' removes the epochs' files but for the latest keep= and the best= by \
        eval-metric; the last state and the best one stay in any case.
        """,
      positionals: [
        Positional("action", .choice(["list", "load", "prune"]), "what to do"),
        Positional(
          "which", .named("checkpoint"), "RUN or RUN@EPOCH; the current run without", .optional),
      ],
      keys: [
        Parameter(
          "keep", .integer(.from(1)), "of how many of the latest epochs prune leaves the files",
          default: "1", activeWhen: "only with prune"),
        Parameter(
          "best", .integer(.from(0)), "of how many of the best epochs prune leaves the files",
          default: "0", activeWhen: "only with prune"),
      ],
      flags: [
        Flag("json", "one JSON object per checkpoint"), Flag("csv", "comma-separated values"),
      ],
      effect: .change, reads: [.argument("which", prefix: "run:"), .slot("run:current")],
      writes: [.slot("model")],
      examples: [
        Example("checkpoint list quickstart", "the files that are kept"),
        Example("checkpoint load quickstart@best; eval", "the weights of the best epoch"),
        Example("checkpoint prune quickstart keep=3", "the last three epochs and the best one"),
      ])
  ) { invocation, state in
    let parts = (invocation.string("which") ?? "").split(
      separator: "@", omittingEmptySubsequences: false)
    let name = parts.first.map(String.init).flatMap { $0.isEmpty ? nil : $0 }
    let action = invocation.requiredString("action")
    guard action == "load" || parts.count < 2 else {
      throw CommandError("'checkpoint \(action)' takes a run, not a checkpoint", argument: "which")
    }
    for key in ["keep", "best"] where action != "prune" && invocation.isGiven(key) {
      throw CommandError("\(key)= is for 'checkpoint prune'", argument: key)
    }
    if action == "prune" {
      state.onlyLooked = true
      try prune(RunAccess.directory(name, state), invocation, state)
    } else if action == "list" {
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

extension RunCommands {
  /// Removes checkpoints of a run that nobody trains.
  private static func prune(
    _ run: RunDirectory, _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    let removed = try withExtendedLifetime(run.lock()) {
      try run.checkpoints.prune(
        keep: invocation.integer("keep") ?? 1, best: invocation.integer("best") ?? 0)
    }
    let names = removed.sorted().map(String.init).joined(separator: ", ")
    state.console.note(
      removed.isEmpty
        ? "nothing to remove: run '\(run.name)' has no other checkpoints"
        : "removed the checkpoints of \(removed.count == 1 ? "epoch" : "epochs") \(names)")
  }
}

/// Dates as people read them, written by the C library: Foundation's formatters load five megabytes
/// of other languages' rules.
enum DateText {
  /// Local time to the minute: `2026-01-02 10:11`.
  static func minute(_ date: Date) -> String {
    var parts = tm()
    var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
    localtime_r(&seconds, &parts)
    return text(&parts, "%Y-%m-%d %H:%M")
  }

  /// Universal time to the second, for names: `20260102-101112`.
  static func name(_ date: Date) -> String {
    var parts = tm()
    var seconds = time_t(date.timeIntervalSince1970.rounded(.down))
    gmtime_r(&seconds, &parts)
    return text(&parts, "%Y%m%d-%H%M%S")
  }

  /// Universal time to the second: `2026-01-02T10:11:12Z`.
  static func universal(_ date: Date) -> String { date.ISO8601Format() }

  private static func text(_ parts: inout tm, _ format: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let base = buffer.baseAddress, strftime(base, 64, format, &parts) > 0 else { return "" }
      return String(cString: base)
    }
  }
}
