import DSL
import Foundation
import Model

// `runs`: what was trained, in one table.

enum RunListing {
  /// What the table can be ordered by.
  private enum Order: String, CaseIterable {
    case started, name, best, loss, time, epochs, status

    /// Whether one run comes before another; runs that lack the value come last.
    func precedes(_ first: RunSummary, _ second: RunSummary) -> Bool {
      func lower(_ a: Double?, _ b: Double?) -> Bool {
        guard let a, let b else { return a != nil && b == nil }
        return a < b
      }
      switch self {
      case .started: return false
      case .name: return first.name.localizedStandardCompare(second.name) == .orderedAscending
      case .best: return lower(first.badness, second.badness)
      case .loss: return lower(first.last["train_loss"], second.last["train_loss"])
      case .time: return lower(first.seconds, second.seconds)
      case .epochs: return first.epochs > second.epochs
      case .status: return first.status.rank < second.status.rank
      }
    }
  }

  static let runs = Command<WorkbenchState>(
    Signature(
      "runs", group: "runs", "Lists the runs, the latest first.",
      discussion: """
        A pattern, status=, model= and data= narrow the list, sort= orders it. --tree puts runs that \
        were forked from others below them.
        """,
      positionals: [Positional("pattern", .text, "a pattern with *", .optional)],
      keys: [
        Parameter("sort", .choice(Order.allCases.map(\.rawValue)), "the order", default: "started"),
        Parameter(
          "status", .choice(RunSummary.Status.allCases.map(\.rawValue)), "only those that stand so"),
        Parameter("model", .word, "only those of a network, or a pattern of names"),
        Parameter("data", .word, "only those on such data, or a pattern of names"),
      ],
      flags: [
        Flag("tree", "forks below the runs that they began from"),
        Flag("json", "one JSON object per run"), Flag("csv", "comma-separated values"),
      ],
      effect: .look, reads: [.slot("run:*")],
      examples: [
        Example("runs", "all of them"), Example("runs s-* --csv", "some, for a program"),
        Example("runs sort=best status=finished", "the best first"),
      ])
  ) { invocation, state in
    let found = summaries(invocation, state)
    let parents = found.map { summary in
      (try? RunDirectory.open(summary.name, in: state.places.runs)).flatMap(RunForking.Lineage.of)
    }
    let entries =
      invocation.has("tree")
      ? RunTree.entries(names: found.map(\.name), parents: parents.map { $0?.parent })
      : found.indices.map { RunTree.Entry(index: $0, branch: "") }
    let rows = entries.map { entry in
      row(found[entry.index], branch: entry.branch, parent: parents[entry.index], state)
    }
    var columns = RunTables.columns
    if parents.contains(where: { $0 != nil }) { columns.append(.init("from")) }
    let isForPrograms =
      invocation.has("json") || invocation.has("csv") || state.console.isForPrograms
    if rows.isEmpty, !isForPrograms {
      let place = state.places.display(state.places.runs)
      let isNarrowed = !invocation.arguments.isEmpty
      state.console.print(
        isNarrowed ? "no such runs in \(place)" : "no runs in \(place); 'train' makes one")
    } else {
      try state.show(Table(columns, rows: rows), as: invocation)
    }
  }

  private static func summaries(_ invocation: Invocation, _ state: WorkbenchState) -> [RunSummary] {
    func fits(_ text: String, _ key: String) -> Bool {
      invocation.string(key).map { matchesWildcards(text, $0) } ?? true
    }
    let order = Order(rawValue: invocation.string("sort") ?? "started") ?? .started
    let found = RunSummary.all(in: state.places.runs).filter {
      fits($0.name, "pattern") && fits($0.model, "model") && fits($0.data, "data")
        && fits($0.status.rawValue, "status")
    }
    // Among equals the latest stays first.
    return found.enumerated().sorted { first, second in
      if order.precedes(first.element, second.element) { return true }
      if order.precedes(second.element, first.element) { return false }
      return first.offset < second.offset
    }.map(\.element)
  }

  private static func row(
    _ run: RunSummary, branch: String, parent: RunForking.Lineage?, _ state: WorkbenchState
  ) -> [Table.Cell] {
    let isCurrent = run.name == state.currentRun
    let from = parent.map { "\($0.parent)@\($0.epoch)" }
    return RunTables.row(run, text: branch + run.name + (isCurrent ? " ←" : ""))
      + [.init(from.map { .text($0) } ?? .missing, text: from ?? "")]
  }
}

extension RunSummary {
  /// The best value so that smaller is better, whatever the metric.
  fileprivate var badness: Double? {
    best.map { $0.metric == .loss ? $0.value : -$0.value }
  }
}

extension RunSummary.Status {
  /// Its place in the order of the declaration.
  fileprivate var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
