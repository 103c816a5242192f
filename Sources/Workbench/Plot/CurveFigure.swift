import DSL
import Foundation
import Model

/// Curves of trainings as a figure: which metrics, against what.
struct CurveFigure {
  var metrics: [CurveMetric]
  var abscissa = TrainingLog.Abscissa.epoch
  /// Whether the vertical axis is logarithmic, and the horizontal one.
  var isLogarithmic = false
  var isLogarithmicAcross = false
  /// How much of the mean so far each point keeps, in 0 ..< 1; nil draws the values as they are.
  var smoothing: Double?
  /// The ends of the axes; nil follows the data.
  var xRange: (lower: Double?, upper: Double?)?
  var yRange: (lower: Double?, upper: Double?)?
  /// Whether runs that differ in their seed alone become their mean and a band around it.
  var isBand = false

  /// One line of the figure.
  private struct Line {
    let name: String
    let metric: CurveMetric
    let column: String
    let points: [Figure.Point]
    let color: Int
    let isDashed: Bool
  }

  /// Draws the logs together.
  ///
  /// - Throws: `CommandError` when a metric or the axis is in none of the logs, or when more than two
  ///   quantities would need axes of their own.
  func figure(of logs: [TrainingLog]) throws -> Figure {
    let left = metrics[0]
    let right = metrics.first { $0.axis != left.axis }
    if let third = metrics.first(where: { $0.axis != left.axis && $0.axis != right?.axis }) {
      throw CommandError(
        "a figure has two vertical axes: \(left.axis), \(right?.axis ?? "") and \(third.axis) are three",
        hint: "draw \(third.name) by itself", argument: "metrics")
    }
    let groups =
      isBand ? RunGroup.groups(of: logs) : logs.map { RunGroup(name: $0.name, logs: [$0]) }
    let lines = try lines(of: groups, logs)
    var series: [Figure.Series] = []
    var marks: [Figure.Mark] = []
    for line in lines {
      let side: Figure.Series.Side = line.metric.axis == left.axis ? .left : .right
      let style: Figure.Series.Style = line.points.count < 40 ? .linesAndPoints : .lines
      func drawn(_ name: String, _ points: [Figure.Point]) -> Figure.Series {
        Figure.Series(
          name, points, style: style, side: side, color: line.color, isDashed: line.isDashed)
      }
      if let smoothing, line.metric.name != "lr" {
        var raw = drawn("", line.points)
        raw.isFaint = true
        raw.style = .lines
        series.append(raw)
        var smooth = drawn(line.name, Self.smoothed(line.points, keeping: smoothing))
        smooth.style = .lines
        series.append(smooth)
      } else {
        series.append(drawn(line.name, line.points))
      }
      if let mark = Self.best(line, side: side) { marks.append(mark) }
    }
    let (x, y) = axes(left)
    return Figure(
      title: groups.count == 1 ? groups[0].name : "", x: x, y: y,
      y2: right.map { Figure.Axis($0.axis, unit: $0.unit) }, series: series,
      // Beyond a few, marks hide what they point at.
      marks: marks.count <= 4 ? marks : [], bands: Self.bands(of: logs, against: abscissa))
  }

  /// The learning rate over the epochs of a training that has not begun.
  ///
  /// - Throws: `CommandError` for an axis that only a training has.
  func schedule(_ values: HyperparameterValues) throws -> Figure {
    guard abscissa == .epoch else {
      throw CommandError(
        "there is no run yet: its schedule is drawn against the epoch",
        hint: "leave x= out, or name a run with runs=", argument: "x")
    }
    let preview = Hyperparameters.schedule(values).preview
    // Epochs count from 1, as in the curves of runs.
    let points = preview.map { Figure.Point($0.epoch + 1, $0.rate) }
    let style: Figure.Series.Style = points.count < 40 ? .linesAndPoints : .lines
    let (x, y) = axes(metrics[0])
    return Figure(
      title: "schedule", x: x, y: y,
      series: [Figure.Series("learning rate", points, style: style)], legend: .none)
  }

  /// The horizontal and the left vertical axis.
  private func axes(_ left: CurveMetric) -> (x: Figure.Axis, y: Figure.Axis) {
    var x = Self.axis(of: abscissa)
    x.scale = isLogarithmicAcross ? .logarithmic : .linear
    (x.minimum, x.maximum) = (xRange?.lower, xRange?.upper)
    var y = Figure.Axis(left.axis, unit: left.unit, scale: isLogarithmic ? .logarithmic : .linear)
    (y.minimum, y.maximum) = (yRange?.lower, yRange?.upper)
    return (x, y)
  }

  private static func axis(of abscissa: TrainingLog.Abscissa) -> Figure.Axis {
    switch abscissa {
    case .epoch: Figure.Axis("epoch", isWhole: true)
    case .step: Figure.Axis("step", isWhole: true)
    case .time: Figure.Axis("training time", unit: "min")
    }
  }

  // MARK: Lines

  private func lines(of groups: [RunGroup], _ logs: [TrainingLog]) throws -> [Line] {
    let columns = metrics.flatMap { metric in metric.columns.map { (metric, $0) } }
    var lines: [Line] = []
    for (groupIndex, group) in groups.enumerated() {
      for (lineIndex, (metric, column)) in columns.enumerated() {
        let found = group.logs.compactMap { $0.points(of: column.column, against: abscissa) }
        guard !found.isEmpty else { continue }
        // One run: a colour per line. Several: a colour per run, further lines dashed.
        let label =
          groups.count == 1
          ? column.label : columns.count == 1 ? group.name : "\(group.name), \(column.label)"
        lines.append(
          Line(
            name: group.logs.count == 1 ? label : "\(label), mean of \(group.logs.count)",
            metric: metric, column: column.column,
            points: found.count == 1 ? found[0] : RunGroup.mean(of: found),
            color: groups.count == 1 ? lineIndex : groupIndex,
            isDashed: groups.count > 1 && lineIndex > 0))
      }
    }
    for metric in metrics where !lines.contains(where: { $0.metric.name == metric.name }) {
      let names = logs.map { "'\($0.name)'" }.joined(separator: ", ")
      let hasAxis = logs.contains { $0.table.columns.contains(abscissa.column) }
      throw CommandError(
        hasAxis
          ? "\(names) has no \(metric.name)" : "\(names) has no column '\(abscissa.column)' for x",
        hint: "its columns: \(logs.first?.table.columns.joined(separator: ", ") ?? "")",
        argument: hasAxis ? "metrics" : "x")
    }
    return lines
  }

  /// The mean in which the latest values weigh most, corrected for its short past at the beginning (as
  /// TensorBoard smooths).
  static func smoothed(_ points: [Figure.Point], keeping share: Double) -> [Figure.Point] {
    var mean = 0.0
    var weight = 0.0
    return points.map { point in
      guard let y = point.y, y.isFinite else { return point }
      mean = share * mean + (1 - share) * y
      weight = share * weight + (1 - share)
      return Figure.Point(point.x, mean / weight)
    }
  }

  /// A mark on the best point; the first of equal values counts, as for the best checkpoint.
  private static func best(_ line: Line, side: Figure.Series.Side) -> Figure.Mark? {
    guard line.column.hasPrefix("eval"), let direction = CurveMetric.direction(of: line.column)
    else { return nil }
    var found: (x: Double, y: Double)?
    for point in line.points {
      guard let y = point.y, found.map({ direction.isBetter(y, than: $0.y) }) ?? true else {
        continue
      }
      found = (point.x, y)
    }
    return found.map {
      Figure.Mark(
        x: $0.x, y: $0.y, label: NumberText.fixed($0.y, line.metric.unit == "%" ? 2 : 4),
        side: side, color: line.color)
    }
  }

  // MARK: Stages

  /// The stages that all logs share, up to where the longest has come.
  private static func bands(
    of logs: [TrainingLog], against abscissa: TrainingLog.Abscissa
  ) -> [Figure.Band] {
    guard let stages = logs.first?.stages, stages.count > 1,
      logs.allSatisfy({ $0.stages == stages }),
      let log = logs.max(by: { $0.table.rows.count < $1.table.rows.count }),
      let ends = log.points(of: abscissa.column, against: abscissa)?.compactMap(\.y),
      let epochs = log.table["epoch"]?.compactMap({ $0 }), ends.count == epochs.count
    else { return [] }
    let unit = abscissa == .time ? 60.0 : 1
    /// Where on the axis so many epochs are over.
    func place(after epoch: Int) -> Double {
      if abscissa == .epoch { return Double(epoch) + 0.5 }
      return epochs.lastIndex { Int($0) <= epoch }.map { ends[$0] / unit } ?? 0
    }
    let last = Int(epochs.max() ?? 0)
    return stages.filter { $0.epochs.lowerBound < last }.map { stage in
      Figure.Band(
        from: place(after: stage.epochs.lowerBound),
        to: place(after: min(last, stage.epochs.upperBound)),
        label: "\(stage.inputSize) px", isShaded: stage.number % 2 == 0)
    }
  }
}
