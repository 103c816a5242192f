import Foundation
import Model

/// A run as listings show it; everything is read from the run's folder.
struct RunSummary: Equatable {
  /// How a run stands.
  enum Status: String, Sendable, CaseIterable {
    /// A living process trains it.
    case running
    /// It came to its planned end.
    case finished
    /// It was stopped and can be resumed.
    case stopped
    /// Its loss became no number.
    case diverged
    /// An error ended it.
    case failed
    /// The process that trained it died.
    case killed
  }

  let name: String
  let model: String
  let data: String
  let status: Status
  /// Epochs with a row in metrics.csv.
  let epochs: Int
  /// Epochs that were planned; nil when the run never began.
  let totalEpochs: Int?
  /// The best epoch by the run's own metric; nil when none was evaluated.
  let best: BestEpoch?
  /// The last row's numbers by column name.
  let last: [String: Double]
  /// Seconds of training.
  let seconds: Double?
  /// When it was begun; nil when events.jsonl is missing.
  let started: Date?
  /// When something was last written.
  let modified: Date?

  /// Reads a run.
  init(_ run: RunDirectory) {
    let parameters = try? RunParameters(of: run)
    let events = EventLog.read(run)
    let table = (try? MetricsTable(contentsOf: run.metrics)) ?? MetricsTable(text: "")

    name = run.name
    model = parameters?.model ?? ""
    data = parameters?.data ?? ""
    status = Self.status(events, isBusy: run.isBusy)
    epochs = (table["epoch"]?.last ?? nil).map { Int($0) } ?? 0
    totalEpochs = events.last { $0.totalEpochs != nil }?.totalEpochs
    best = Self.best(table, parameters?.parameters)
    var numbers: [String: Double] = [:]
    for (column, value) in zip(table.columns, table.rows.last ?? []) { numbers[column] = value }
    last = numbers
    seconds = numbers["seconds"]
    started = events.first?.t.map { Date(timeIntervalSince1970: $0) }
    modified = events.last?.t.map { Date(timeIntervalSince1970: $0) }
  }

  /// The runs of a folder, the latest first.
  static func all(in root: URL) -> [RunSummary] {
    RunDirectory.all(in: root).map { RunSummary($0) }
      .sorted { ($0.started ?? .distantPast, $0.name) > ($1.started ?? .distantPast, $1.name) }
  }

  private static func status(_ events: [EventLog.Record], isBusy: Bool) -> Status {
    if isBusy { return .running }
    for event in events.reversed() {
      switch event.ev {
      case "finished": return .finished
      case "stopped": return .stopped
      case "diverged": return .diverged
      case "failed": return .failed
      case "started", "resumed": return .killed
      default: break
      }
    }
    return .killed
  }

  private static func best(
    _ table: MetricsTable, _ parameters: HyperparameterValues?
  ) -> BestEpoch? {
    var metric = EvaluationMetric.top1
    if case .word(let name)? = parameters?["eval-metric"],
      let chosen = EvaluationMetric(rawValue: name)
    {
      metric = chosen
    }
    guard let epochs = table["epoch"], let values = table["eval_\(metric.rawValue)"] else {
      return nil
    }
    var best: BestEpoch?
    for case (let epoch?, let value?) in zip(epochs, values)
    where metric.isBetter(value, than: best?.value ?? .nan) {
      best = BestEpoch(epoch: Int(epoch), metric: metric, value: value)
    }
    return best
  }
}
