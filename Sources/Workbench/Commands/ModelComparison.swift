import DSL
import Foundation
import Model

/// `plot models`: the best accuracy of each run against the size of its network or the time it took,
/// as the first figure of Tan and Le's paper does.
enum ModelComparison {
  static func figure(_ invocation: Invocation, _ state: WorkbenchState) throws -> Figure {
    let axis = invocation.string("x") ?? "params"
    let names = invocation.strings("runs")
    let logs = try RunSelection.logs(names.isEmpty ? ["*"] : names, state)
    var groups: [(model: String, points: [(log: TrainingLog, point: Figure.Point)])] = []
    for log in logs {
      guard let description = log.description, let best = log.best("eval_top1"),
        let x = try place(of: log, description, on: axis)
      else { continue }
      let entry = (log, Figure.Point(x, best.value))
      if let index = groups.firstIndex(where: { $0.model == description.model }) {
        groups[index].points.append(entry)
      } else {
        groups.append((description.model, [entry]))
      }
    }
    let labelled = groups.enumerated().flatMap { index, group in
      group.points.map { (log: $0.log, point: $0.point, color: index) }
    }
    var x = label(of: axis, invocation)
    // Room for the points and names at the ends.
    let places = labelled.map(\.point.x)
    if x.scale == .linear, let low = places.min(), let high = places.max() {
      let room = high > low ? 0.12 * (high - low) : max(0.1 * abs(high), 1)
      x.minimum = x.minimum ?? max(0, low - room)
      x.maximum = x.maximum ?? high + room
    }
    return Figure(
      title: "best accuracy of the runs", x: x,
      y: Figure.Axis(
        "best top-1", unit: "%", minimum: invocation.interval("yrange")?.lower,
        maximum: invocation.interval("yrange")?.upper),
      series: groups.enumerated().map { index, group in
        Figure.Series(
          String(group.model.prefix { $0 != "." }),
          group.points.map(\.point).sorted { $0.x < $1.x }, style: .points,
          color: index)
      },
      // Beyond a dozen, names would hide the points.
      marks: labelled.count > 12
        ? []
        : labelled.map {
          Figure.Mark(x: $0.point.x, y: $0.point.y ?? 0, label: $0.log.name, color: $0.color)
        }, legend: .above)
  }

  private static func label(of axis: String, _ invocation: Invocation) -> Figure.Axis {
    let range = invocation.interval("xrange")
    let scale: Figure.Axis.Scale = invocation.has("logx") ? .logarithmic : .linear
    let (label, unit) =
      switch axis {
      case "macs": ("multiply-adds of an image", "G")
      case "time": ("training time", "min")
      case "step": ("training steps", nil)
      case "epoch": ("epochs", nil)
      default: ("parameters", "M")
      } as (String, String?)
    return Figure.Axis(
      label, unit: unit, scale: scale, minimum: range?.lower, maximum: range?.upper)
  }

  /// Where a run stands on the axis; nil where its model is not known here.
  private static func place(
    of log: TrainingLog, _ description: RunParameters, on axis: String
  ) throws -> Double? {
    switch axis {
    case "time": return log.last("seconds").map { $0 / 60 }
    case "step", "epoch": return log.last(axis)
    default:
      guard let variant = try? description.variant else { return nil }
      let classes = description.classCount ?? description.classes.count
      let blueprint = try Blueprint(variant, classCount: classes)
      if axis == "params" { return Double(blueprint.parameterCount) / 1e6 }
      let size = description.preprocessing(of: variant).inputSize
      return Double(blueprint.multiplyAdds(inputSize: size)) / 1e9
    }
  }
}
