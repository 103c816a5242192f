import DSL
import Foundation
import Model

// `compare`: what runs differ in, and which is the better.

enum CompareCommand {
  /// What runs can be ordered by: the column, and whether it is the best or the last value.
  private static let orders: [(name: String, column: String)] = [
    ("top1", "eval_top1"), ("top5", "eval_top5"), ("loss", "eval_loss"),
    ("train_loss", "train_loss"), ("time", "seconds"), ("speed", "images_per_s"),
  ]

  static let compare = Command<WorkbenchState>(
    Signature(
      "compare", group: "runs", "Compares runs: what they differ in, and what came of it.",
      discussion: """
        A row per run, the best first: the best value of by= and its epoch, the last of every \
        metric, the time and the speed, and the settings that are not the same. A setting that \
        differs and has no effect in any of the runs is named below with the reason, one that has \
        none in this run stands in brackets.

        Runs can be patterns (s-*), and CSV logs of timm, Keras and Lightning, whose settings are \
        not known.
        """,
      positionals: [
        Positional(
          "runs", .named("run"), "runs, patterns or log files; all without",
          .variadic(minimum: 0))
      ],
      keys: [
        Parameter("by", .choice(orders.map(\.name)), "what makes a run the better", default: "top1")
      ],
      flags: [Flag("json", "one JSON object per run"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look,
      reads: [.argument("runs", prefix: "run:"), .slot("run:*")],
      examples: [
        Example("compare a b", "two runs"),
        Example("compare by=loss", "all of them, the lowest loss first"),
        Example("compare a b --csv > compared.csv", "for a program"),
      ])
  ) { invocation, state in
    let names = invocation.strings("runs")
    let logs = try RunSelection.logs(names.isEmpty ? ["*"] : names, state, argument: "runs")
    let order = invocation.string("by") ?? "top1"
    let comparison = RunComparison(sorted(logs, by: order))
    let table = table(comparison, by: order)
    try state.show(table, as: invocation)
    let isForPrograms =
      invocation.outputPath != nil || invocation.has("json") || invocation.has("csv")
      || state.console.isForPrograms
    guard !isForPrograms else { return }
    for difference in comparison.differences {
      guard let reason = difference.inertReason else { continue }
      let values = difference.values.compactMap { $0 }.joined(separator: ", ")
      state.console.print("\(difference.name) differs (\(values)) without effect: \(reason)")
    }
  }

  private static func column(of order: String) -> String {
    orders.first { $0.name == order }?.column ?? order
  }

  /// The value that decides: the best of a metric, else the last.
  private static func value(_ log: TrainingLog, by order: String) -> Double? {
    let column = column(of: order)
    return log.best(column)?.value ?? log.last(column)
  }

  /// The best first; runs without a value at the end, in the order of their names.
  static func sorted(_ logs: [TrainingLog], by order: String) -> [TrainingLog] {
    let isHighest = !["loss", "train_loss", "time"].contains(order)
    return logs.enumerated().sorted { first, second in
      let (a, b) = (value(first.element, by: order), value(second.element, by: order))
      guard let a, let b, a != b else {
        return a != nil && b == nil || ((a == nil) == (b == nil) && first.offset < second.offset)
      }
      return isHighest ? a > b : a < b
    }.map(\.element)
  }

  static func table(_ comparison: RunComparison, by order: String) -> Table {
    let effective = comparison.differences.filter { $0.inertReason == nil }
    let inert = comparison.differences.filter { $0.inertReason != nil }
    let decimals = ["loss": 4, "train_loss": 4, "time": 0, "speed": 1][order] ?? 2
    let rows = comparison.logs.enumerated().map { index, log -> [Table.Cell] in
      let best = log.best(column(of: order))
      var row: [Table.Cell] = [
        .init(log.name), .init(value(log, by: order), decimals: decimals),
        best?.epoch.map { Table.Cell($0) } ?? .blank,
        log.last("epoch").map { Table.Cell(Int($0)) } ?? .blank,
        .init(log.last("train_loss"), decimals: 4), .init(log.last("eval_loss"), decimals: 4),
        .init(log.last("eval_top1"), decimals: 2), .init(log.last("eval_top5"), decimals: 2),
        .init(seconds: log.last("seconds")), .init(log.last("images_per_s"), decimals: 1),
      ]
      for difference in effective + inert {
        let value = difference.values[index]
        let isInert = difference.inertReasons[index] != nil
        row.append(
          .init(
            value.map { .text($0) } ?? .missing,
            text: value.map { isInert ? "(\($0))" : $0 } ?? "?", role: isInert ? .faint : .accent))
      }
      return row
    }
    let columns: [Table.Column] = [
      .init("run"), .init("best \(order)", key: "best", .right),
      .init("epoch", key: "best_epoch", .right),
      .init("epochs", .right), .init("train_loss", .right), .init("eval_loss", .right),
      .init("top1", .right), .init("top5", .right), .init("time", key: "seconds", .right),
      .init("img/s", key: "images_per_s", .right),
    ]
    return Table(
      columns + (effective + inert).map { .init($0.name, .right) }, rows: rows)
  }
}
