import Foundation

/// Something that `plot` can draw over a training: one or two columns of metrics.csv.
struct CurveMetric: Sendable {
  /// Which way is better.
  enum Direction: Sendable {
    case highest, lowest

    func isBetter(_ value: Double, than other: Double) -> Bool {
      self == .highest ? value > other : value < other
    }
  }

  /// The name that `plot` understands.
  let name: String
  /// The columns that it draws, with what the legend calls each.
  let columns: [(column: String, label: String)]
  let axis: String
  var unit: String?

  /// The learning rate, which a schedule has before there is a run.
  static let rate = CurveMetric(
    name: "lr", columns: [("lr", "learning rate")], axis: "learning rate")

  /// What can be drawn of every run, by name.
  static let all: [CurveMetric] = [
    CurveMetric(
      name: "loss", columns: [("train_loss", "training loss"), ("eval_loss", "test loss")],
      axis: "loss"),
    CurveMetric(name: "train_loss", columns: [("train_loss", "training loss")], axis: "loss"),
    CurveMetric(name: "eval_loss", columns: [("eval_loss", "test loss")], axis: "loss"),
    CurveMetric(name: "top1", columns: [("eval_top1", "top-1")], axis: "test accuracy", unit: "%"),
    CurveMetric(name: "top5", columns: [("eval_top5", "top-5")], axis: "test accuracy", unit: "%"),
    rate,
    CurveMetric(
      name: "speed", columns: [("images_per_s", "speed")], axis: "speed", unit: "images/s"),
  ]

  /// The metric of a name; `-` and `_` are equal, and the columns' own names are understood, those
  /// of other tools' logs too.
  static func named(_ name: String, columns: [String] = MetricsRow.columns) -> CurveMetric? {
    let plain = name.replacing("-", with: "_")
    if let known = all.first(where: { $0.name == plain })
      ?? all.first(where: { $0.columns.count == 1 && $0.columns[0].column == plain })
    {
      return known
    }
    guard let column = columns.first(where: { $0 == name || $0 == plain }) else { return nil }
    let unit = column == "seconds" ? "s" : column == "train_top1" ? "%" : nil
    return CurveMetric(name: column, columns: [(column, column)], axis: column, unit: unit)
  }

  /// Which values of a column are better; nil where none is.
  static func direction(of column: String) -> Direction? {
    switch column {
    case "train_loss", "eval_loss": .lowest
    case "eval_top1", "eval_top5": .highest
    default: nil
    }
  }
}
