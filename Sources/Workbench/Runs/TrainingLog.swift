import DSL
import Foundation
import Model

/// What a training recorded, whoever trained: a run of ours, or another tool's CSV log.
struct TrainingLog {
  let name: String
  /// The rows under the names of metrics.csv.
  let table: MetricsTable
  /// The settings; nil for another tool's log.
  var description: RunParameters?
  /// The run's folder; nil for another tool's log.
  var directory: RunDirectory?

  /// What stands on the horizontal axis.
  enum Abscissa: String, CaseIterable, Sendable {
    case epoch, step, time

    /// The column that it is.
    var column: String { self == .time ? "seconds" : rawValue }
  }

  /// A run of ours, as far as it has come.
  init(_ directory: RunDirectory) throws {
    name = directory.name
    // A run that has just begun has no file yet.
    table =
      (try? MetricsTable(contentsOf: directory.metrics)) ?? MetricsTable(columns: [], rows: [])
    description = try? RunParameters(of: directory)
    self.directory = directory
  }

  /// A CSV file of timm, Keras, Lightning or ours.
  ///
  /// - Throws: `CommandError` when there is no such file or no column of epochs or steps in it.
  init(file: URL, named name: String) throws {
    self.name = name
    let raw: MetricsTable
    do {
      raw = try MetricsTable(contentsOf: file)
    } catch {
      let exists = FileManager.default.fileExists(atPath: file.path)
      throw CommandError(
        "\(exists ? "cannot read" : "there is no file") \(name)", argument: "runs", exitCode: 7)
    }
    table = raw.columns == MetricsRow.columns ? raw : ForeignLog.translated(raw)
    guard table.columns.contains("epoch") || table.columns.contains("step"), !table.rows.isEmpty
    else {
      throw CommandError(
        "\(name) is no log of a training: it has no rows with an epoch or a step",
        hint: "timm's summary.csv and the CSV loggers of Keras and Lightning are understood",
        argument: "runs")
    }
  }

  /// The values of a column, where there are any, against the axis; times in minutes.
  ///
  /// Several rows of one epoch (Lightning has one every few steps) become their mean, and for the
  /// rate, the step and the time the last. Nil when the log has no such column or no such axis.
  func points(of column: String, against abscissa: Abscissa) -> [Figure.Point]? {
    guard let values = table[column], let places = table[abscissa.column] else { return nil }
    let unit = abscissa == .time ? 60.0 : 1
    let pairs = zip(places, values).compactMap { place, value in
      place.map { (x: $0 / unit, y: value) }
    }
    guard abscissa == .epoch else {
      return pairs.filter { $0.y != nil }.map { Figure.Point($0.x, $0.y) }
    }
    let keepsLast = ["lr", "step", "seconds"].contains(column)
    var points: [Figure.Point] = []
    var sums: [Double] = []
    for (x, y) in pairs {
      if points.last?.x != x {
        points.append(Figure.Point(x, nil))
        sums = []
      }
      guard let y else { continue }
      sums.append(y)
      points[points.count - 1].y = keepsLast ? y : sums.reduce(0, +) / Double(sums.count)
    }
    return points
  }

  /// The stages of progressive learning that follow each other; empty where there are none.
  var stages: [TrainingStage] {
    guard let description, let variant = try? description.variant else { return [] }
    let progression = Hyperparameters(description.parameters, for: variant.preprocessing)
      .progression
    return progression.isProgressive && !progression.isDrawnPerStep ? progression.stages : []
  }

  /// The last value of a column.
  func last(_ column: String) -> Double? { table[column]?.last { $0 != nil } ?? nil }

  /// The best value of a column and its epoch; the first of equal values counts.
  func best(_ column: String) -> (epoch: Int?, value: Double)? {
    guard let direction = CurveMetric.direction(of: column), let values = table[column] else {
      return nil
    }
    let epochs = table["epoch"]
    var found: (epoch: Int?, value: Double)?
    for (index, value) in values.enumerated() {
      guard let value, found.map({ direction.isBetter(value, than: $0.value) }) ?? true else {
        continue
      }
      found = (epochs?[index].map { Int($0) }, value)
    }
    return found
  }
}
