import Model

/// The table of epochs as people see it, on the terminal and in log.txt: one line when an epoch is
/// over, the best one marked.
enum EpochTable {
  private static let table = Table([
    Table.Column("epoch", .right, minimumWidth: 7),
    Table.Column("lr", .right, minimumWidth: 8),
    Table.Column("train_loss", .right, minimumWidth: 10),
    Table.Column("eval_loss", .right, minimumWidth: 9, markWidth: 1),
    Table.Column("top1", .right, minimumWidth: 6, markWidth: 1),
    Table.Column("top5", .right, minimumWidth: 6, markWidth: 1),
    Table.Column("img/s", .right, minimumWidth: 7),
    Table.Column("time", .right, minimumWidth: 6),
    Table.Column("eta", .right, minimumWidth: 6),
  ])

  /// The heading.
  static func header(style: Style = .plain) -> String {
    table.headerLine(style: style)
  }

  /// The line of an epoch.
  /// - Parameter metric: the metric that decides the best epoch; its column carries the mark.
  static func line(
    _ report: EpochReport, metric: EvaluationMetric, style: Style = .plain
  ) -> String {
    let evaluation = report.evaluation
    func mark(_ column: EvaluationMetric) -> String {
      report.isBest && column == metric ? "*" : ""
    }
    return table.line(
      [
        Table.Cell("\(report.epoch)/\(report.totalEpochs)"),
        Table.Cell(
          .real(report.learningRate), text: NumberText.significant(report.learningRate, 3)),
        Table.Cell(report.trainLoss, decimals: 4),
        Table.Cell(evaluation?.loss, decimals: 4, mark: mark(.loss)),
        Table.Cell(evaluation?.top1, decimals: 2, mark: mark(.top1)),
        Table.Cell(evaluation?.top5, decimals: 2, mark: mark(.top5)),
        Table.Cell(report.imagesPerSecond, decimals: 1),
        Table.Cell(seconds: report.epochSeconds),
        Table.Cell(seconds: report.secondsLeft),
      ], style: style)
  }
}
