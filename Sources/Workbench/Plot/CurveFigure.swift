import Model

/// Curves of runs as a figure: which metrics, against what.
enum CurveFigure {
  /// What a metric of metrics.csv is called and drawn with.
  struct Metric: Sendable {
    /// The name that `plot` understands.
    let name: String
    /// The columns of metrics.csv that it draws, with what the legend calls each.
    let columns: [(column: String, label: String)]
    let axis: String
    var unit: String?
    /// Which way is better, for the mark on the best epoch; nil for no mark.
    var best: Best?

    enum Best: Sendable { case highest, lowest }
  }

  /// What can be drawn, by name.
  static let metrics: [Metric] = [
    Metric(
      name: "loss", columns: [("train_loss", "training loss"), ("eval_loss", "test loss")],
      axis: "loss"),
    Metric(name: "train_loss", columns: [("train_loss", "training loss")], axis: "loss"),
    Metric(
      name: "eval_loss", columns: [("eval_loss", "test loss")], axis: "loss", best: .lowest),
    Metric(
      name: "top1", columns: [("eval_top1", "top-1")], axis: "test accuracy", unit: "%",
      best: .highest),
    Metric(name: "top5", columns: [("eval_top5", "top-5")], axis: "test accuracy", unit: "%"),
    Metric(name: "lr", columns: [("lr", "learning rate")], axis: "learning rate"),
    Metric(
      name: "speed", columns: [("images_per_s", "speed")], axis: "speed", unit: "images/s"),
  ]

  /// The metric of a name; `-` and `_` are equal, and the columns' own names are understood.
  static func metric(_ name: String) -> Metric? {
    let name = name.replacing("-", with: "_")
    return metrics.first { $0.name == name }
      ?? metrics.first { $0.columns.count == 1 && $0.columns[0].column == name }
  }

  /// What stands on the horizontal axis.
  enum Abscissa: String, CaseIterable, Sendable {
    case epoch, step, time

    var axis: Figure.Axis {
      switch self {
      case .epoch: Figure.Axis("epoch", isWhole: true)
      case .step: Figure.Axis("step", isWhole: true)
      case .time: Figure.Axis("training time", unit: "min")
      }
    }

    fileprivate var column: String { self == .time ? "seconds" : rawValue }
  }

  /// The figure of some metrics of some runs.
  ///
  /// - Parameter logarithmic: whether the vertical axis is.
  static func figure(
    of metrics: [Metric], runs: [(name: String, table: MetricsTable)], against abscissa: Abscissa,
    logarithmic: Bool = false
  ) -> Figure {
    let left = metrics[0]
    let right = metrics.first { $0.axis != left.axis }
    var series: [Figure.Series] = []
    var marks: [Figure.Mark] = []
    let lines = metrics.flatMap { metric in metric.columns.map { (metric, $0) } }
    for (runIndex, run) in runs.enumerated() {
      let x = run.table[abscissa.column] ?? []
      for (lineIndex, (metric, line)) in lines.enumerated() {
        let points = zip(x, run.table[line.column] ?? []).compactMap { x, y in
          x.map { Figure.Point(abscissa == .time ? $0 / 60 : $0, y) }
        }
        let side: Figure.Series.Side = metric.axis == left.axis ? .left : .right
        // One run: a colour per line. Several: a colour per run, further lines dashed.
        let color = runs.count == 1 ? lineIndex : runIndex
        let label =
          runs.count == 1 ? line.label : lines.count == 1 ? run.name : "\(run.name), \(line.label)"
        series.append(
          Figure.Series(
            label, points, style: points.count < 40 ? .linesAndPoints : .lines, side: side,
            color: color, isDashed: runs.count > 1 && lineIndex > 0))
        if let mark = best(points, metric, side: side, color: color) { marks.append(mark) }
      }
    }
    return Figure(
      title: runs.count == 1 ? runs[0].name : "", x: abscissa.axis,
      y: Figure.Axis(left.axis, unit: left.unit, scale: logarithmic ? .logarithmic : .linear),
      y2: right.map { Figure.Axis($0.axis, unit: $0.unit) }, series: series, marks: marks)
  }

  /// The learning rate over the epochs of a training that has not begun.
  static func schedule(_ values: HyperparameterValues) -> Figure {
    let preview = Hyperparameters.schedule(values).preview
    // Epochs count from 1, as in the curves of runs.
    let points = preview.map { Figure.Point($0.epoch + 1, $0.rate) }
    let style: Figure.Series.Style = points.count < 40 ? .linesAndPoints : .lines
    return Figure(
      title: "schedule", x: Figure.Axis("epoch", isWhole: true), y: Figure.Axis("learning rate"),
      series: [Figure.Series("learning rate", points, style: style)], legend: .none)
  }

  /// A mark on the best point; the first of equal values counts, as for the best checkpoint.
  private static func best(
    _ points: [Figure.Point], _ metric: Metric, side: Figure.Series.Side, color: Int
  ) -> Figure.Mark? {
    guard let direction = metric.best else { return nil }
    var found: (x: Double, y: Double)?
    for point in points {
      guard let y = point.y else { continue }
      let isBetter = found.map { direction == .highest ? y > $0.y : y < $0.y } ?? true
      if isBetter { found = (point.x, y) }
    }
    return found.map {
      Figure.Mark(
        x: $0.x, y: $0.y, label: NumberText.fixed($0.y, metric.unit == "%" ? 2 : 4), side: side,
        color: color)
    }
  }
}
