import Model

/// Runs and their numbers as tables, for listings and reports.
enum RunTables {
  /// What a table of runs says about each.
  static let columns: [Table.Column] = [
    .init("run"), .init("model"), .init("data"), .init("status"), .init("epochs", .right),
    .init("train_loss", .right), .init("best", .right), .init("metric"),
    .init("time", key: "seconds", .right), .init("started"),
  ]

  /// A row for each run.
  static func runs(_ runs: [RunSummary]) -> Table {
    Table(columns, rows: runs.map { row($0, text: $0.name) })
  }

  /// One run.
  ///
  /// - Parameter text: how its name is shown.
  static func row(_ run: RunSummary, text: String) -> [Table.Cell] {
    [
      .init(.text(run.name), text: text),
      .init(run.model), .init(run.data), .init(run.status.rawValue, role: role(run.status)),
      .init(
        .integer(run.epochs),
        text: run.totalEpochs.map { "\(run.epochs)/\($0)" } ?? "\(run.epochs)"),
      .init(run.last["train_loss"], decimals: 4),
      .init(run.best?.value, decimals: run.best?.metric == .loss ? 4 : 2),
      .init(run.best?.metric.rawValue ?? ""),
      .init(seconds: run.seconds),
      .init(run.started.map(DateText.minute) ?? ""),
    ]
  }

  private static func role(_ status: RunSummary.Status) -> Style.Role? {
    switch status {
    case .running: .accent
    case .finished: .success
    case .stopped, .killed: .warning
    case .diverged, .failed: .error
    }
  }

  /// A row for each epoch, with the columns of the file.
  static func metrics(_ data: MetricsTable) -> Table {
    let columns = data.columns.map { Table.Column($0, .right) }
    let rows = data.rows.map { row in
      zip(data.columns, row).map { column, value -> Table.Cell in
        guard let value else { return .blank }
        let whole = ["epoch", "step", "segment"].contains(column)
        return Table.Cell(
          whole ? .integer(Int(value)) : .real(value),
          text: whole ? String(Int(value)) : NumberText.significant(value, 5))
      }
    }
    return Table(columns, rows: rows)
  }
}
