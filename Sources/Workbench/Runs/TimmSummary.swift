import Foundation
import Model

/// summary.csv as timm's train.py writes it: epochs from 0, the losses, the accuracies, the rate.
enum TimmSummary {
  private static let columns = ["train_loss", "eval_loss", "eval_top1", "eval_top5", "lr"]

  /// Writes the file anew from a run's metrics, so that it fits them after a resumed training too.
  static func write(_ directory: RunDirectory) throws {
    let metrics = try MetricsTable(contentsOf: directory.metrics)
    let epochs = metrics["epoch"] ?? []
    var text = (["epoch"] + columns).joined(separator: ",") + "\n"
    for (row, epoch) in epochs.enumerated() {
      let values = columns.map { metrics[$0]?[row].map(ReportValue.shortest) ?? "" }
      let number = epoch.map { String(Int($0) - 1) } ?? ""
      text += ([number] + values).joined(separator: ",") + "\n"
    }
    try AtomicFile.write(Data(text.utf8), to: directory.summary)
  }
}
