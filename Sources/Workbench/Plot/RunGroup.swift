import Foundation
import Model

/// Runs that are repetitions of one another.
struct RunGroup {
  let name: String
  let logs: [TrainingLog]

  /// The runs in groups that differ in the seed alone (and in what changes no result); all of them in
  /// one group where no two belong together.
  static func groups(of logs: [TrainingLog]) -> [RunGroup] {
    var groups: [(key: RunParameters?, logs: [TrainingLog])] = []
    for log in logs {
      let key = log.description.map(withoutSeed)
      if key != nil, let index = groups.firstIndex(where: { $0.key == key }) {
        groups[index].logs.append(log)
      } else {
        groups.append((key, [log]))
      }
    }
    if groups.allSatisfy({ $0.logs.count == 1 }) { return [RunGroup(name: name(logs), logs: logs)] }
    return groups.map { RunGroup(name: name($0.logs), logs: $0.logs) }
  }

  /// What the names have in common at their beginning.
  private static func name(_ logs: [TrainingLog]) -> String {
    guard let first = logs.first?.name, logs.count > 1 else { return logs.first?.name ?? "" }
    let common = logs.dropFirst().reduce(first) { $0.commonPrefix(with: $1.name) }
    let trimmed = common.reversed().drop { "-_.".contains($0) }.reversed()
    return trimmed.isEmpty ? "mean" : String(trimmed)
  }

  private static func withoutSeed(_ description: RunParameters) -> RunParameters {
    var description = description
    // A seed decides the weights that a fresh training begins with, too.
    description.reading?.splitSeed = 0
    for key in HyperparameterKey.all where key.name == "seed" || !key.changesResult {
      _ = try? description.parameters.unset(key.name)
    }
    return description
  }

  /// The mean of several curves where they have points, with one standard deviation to either side
  /// (that of a sample, with n - 1).
  static func mean(of curves: [[Figure.Point]]) -> [Figure.Point] {
    var values: [Double: [Double]] = [:]
    for point in curves.joined() {
      guard let y = point.y, y.isFinite else { continue }
      values[point.x, default: []].append(y)
    }
    return values.keys.sorted().map { x in
      let found = values[x] ?? []
      let mean = found.reduce(0, +) / Double(found.count)
      guard found.count > 1 else { return Figure.Point(x, mean) }
      let squares = found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let deviation = (squares / Double(found.count - 1)).squareRoot()
      return Figure.Point(x, mean, low: mean - deviation, high: mean + deviation)
    }
  }
}
