import DSL
import Foundation
import Model

/// What a replay has done, in a file below the output folder, so that another one can go on with it.
///
/// The file is replaced whole after every step that counts. One that cannot be read says nothing.
struct ReplayLedger {
  /// A step that was done, or begun.
  struct Record: Codable {
    /// How it stands.
    enum Status: String, Codable {
      /// It was begun; where it stands, its run's checkpoints say. What only looks was cut off by
      /// the end of the time.
      case begun
      /// It came to its end.
      case done
    }

    /// What is replaced when the step is done again: `train s-c10`, `plot > loss.png`.
    let subject: String
    /// What the result follows from.
    let key: ResultKey
    var status: Status
    /// What the step printed.
    var text = ""
    /// The SHA-256 of the file that it wrote.
    var file: String?
    /// A training's run.
    var run: Run?

    struct Run: Codable {
      let name: String
      /// When it was begun, in seconds since 1970: which of the runs of that name it is.
      let began: Double
      /// The settings that it was begun with.
      let settings: HyperparameterValues
      /// The step at which it ended.
      var step: Int?
    }
  }

  private struct Contents: Codable {
    var format = 1
    var records: [Record]
  }

  let file: URL
  private(set) var records: [Record] = []

  /// The ledger of a script, empty until `read`.
  init(name: String, output: URL) {
    file = output.appendingPathComponent(".workbench/replay/\(name).json")
  }

  /// Takes over what an earlier replay has left.
  ///
  /// - Returns: whether there was anything.
  mutating func read() -> Bool {
    guard let data = try? Data(contentsOf: file),
      let contents = try? JSONDecoder().decode(Contents.self, from: data), contents.format == 1
    else { return false }
    records = contents.records
    return true
  }

  /// The record with this key.
  func record(_ key: ResultKey, of subject: String) -> Record? {
    records.first { $0.subject == subject && $0.key.matches(key) }
  }

  /// The record of a subject, whatever its key.
  func record(of subject: String) -> Record? { records.first { $0.subject == subject } }

  /// Puts a record in the place of the one of the same subject, on disk too.
  mutating func keep(_ record: Record) throws {
    if let index = records.firstIndex(where: { $0.subject == record.subject }) {
      records[index] = record
    } else {
      records.append(record)
    }
    try write()
  }

  /// Writes the file.
  func write() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    try FileWriting.makeFolder(of: file)
    try AtomicFile.write(encoder.encode(Contents(records: records)), to: file)
  }
}
