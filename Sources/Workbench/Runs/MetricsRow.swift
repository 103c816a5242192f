import Model

/// A row of metrics.csv: one finished epoch.
struct MetricsRow: Equatable {
  /// The columns, in the order of the file.
  static let columns = [
    "epoch", "step", "seconds", "lr", "train_loss", "eval_loss", "eval_top1", "eval_top5",
    "images_per_s", "segment",
  ]
  /// The columns that the clock and the user's interruptions decide. All others are the same, byte
  /// for byte, for every run of the same training.
  static let clockColumns: Set = ["seconds", "images_per_s", "segment"]

  let fields: [String]

  /// The row of a finished epoch. Losses and accuracies are written so that they read back as the
  /// same numbers; what is missing or no number stays blank.
  init(_ report: EpochReport) {
    let evaluation = report.evaluation
    fields = [
      String(report.epoch),
      String(report.step),
      NumberText.fixed(report.seconds, 3),
      Self.exact(report.learningRate),
      Self.exact(report.trainLoss),
      Self.exact(evaluation?.loss),
      Self.exact(evaluation?.top1),
      Self.exact(evaluation?.top5),
      NumberText.fixed(report.imagesPerSecond, 1),
      String(report.segment),
    ]
  }

  /// The row as a line without its end.
  var line: String { fields.joined(separator: ",") }

  private static func exact(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "" }
    return ReportValue.shortest(value)
  }
}
