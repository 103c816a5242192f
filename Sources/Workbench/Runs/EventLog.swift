import Foundation

/// events.jsonl: what happened in a run, a JSON object a line.
final class EventLog {
  private let file: AppendFile
  private let run: String
  private let now: () -> Date

  /// Opens or begins the log of a run.
  init(_ directory: RunDirectory, now: @escaping () -> Date = Date.init) throws {
    file = try AppendFile(directory.events)
    run = directory.name
    self.now = now
  }

  /// Adds an event; `t` is seconds since 1970.
  /// - Parameter durably: waits until the line is on disk.
  func append(
    _ event: String, _ fields: [String: ReportValue] = [:], durably: Bool = true
  ) throws {
    var record = fields
    let milliseconds = (now().timeIntervalSince1970 * 1000).rounded()
    record["t"] = .real(milliseconds / 1000)
    record["ev"] = .text(event)
    record["run"] = .text(run)
    let line = ReportValue.record(record).json
    if durably { try file.append(line: line) } else { try file.appendSoon(line: line) }
  }

  /// An event that was read back; only what listings need.
  struct Record: Decodable {
    var t: Double?
    var ev: String
    var reason: String?
    var totalEpochs: Int?
    var trainImages: Int?
    var testImages: Int?

    private enum CodingKeys: String, CodingKey {
      case t, ev, reason
      case trainImages = "train_images"
      case testImages = "test_images"
      case totalEpochs = "total_epochs"
    }
  }

  /// The events of a run, in order; lines that a crash tore are left out.
  static func read(_ directory: RunDirectory) -> [Record] {
    guard let data = try? Data(contentsOf: directory.events) else { return [] }
    let decoder = JSONDecoder()
    return data.split(separator: UInt8(ascii: "\n")).compactMap {
      try? decoder.decode(Record.self, from: Data($0))
    }
  }
}
