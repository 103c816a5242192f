import DSL
import Foundation

/// One line of a journal's file: a JSON object with one key that says what it is.
enum JournalLine: Codable, Sendable {
  /// Where a session worked.
  struct Place: Codable, Sendable, Equatable {
    /// Where the program was started.
    var folder: String
    /// Where its runs and files went.
    var output: String
    /// Its process.
    var process: Int
  }

  /// The session's cells.
  struct Cells: Codable, Sendable, Equatable {
    /// The whole document as a script.
    var text: String
    /// The keys of its cells, in order.
    var keys: [Int]
  }

  /// The first line.
  case place(Place)
  /// A command begins.
  case started(String)
  /// The training that began last has this name, and is this part of its run, counted from 1.
  case run(String, Int?)
  /// A command ended.
  case record(JournalRecord)
  /// The command of a number was undone, or done again.
  case undone(Int, Bool)
  /// The cells as they are from now on.
  case cells(Cells)
  /// So many commands are in a saved script.
  case saved(Int)
  /// The session ended as it should.
  case closed
}

/// A session as its journal tells it.
struct RecordedSession {
  /// The session's name.
  let name: String
  private let url: URL
  /// Where it worked.
  private(set) var place: JournalLine.Place?
  /// What was run, with what was undone marked.
  private(set) var records: [JournalRecord] = []
  /// A command that began and did not end.
  private(set) var unfinished: (text: String, run: String?, segment: Int?)?
  /// Its cells.
  private(set) var cells: JournalLine.Cells?
  /// How many of its commands are in a saved script.
  private(set) var savedCommands = 0
  /// Whether it ended as it should.
  private(set) var isClosed = false
  /// When its journal was last written.
  let modified: Date

  /// Reads a journal. A last line that was cut off by the crash is left out.
  init?(_ url: URL) {
    guard let data = try? Data(contentsOf: url) else { return nil }
    self.url = url
    name = url.deletingPathExtension().lastPathComponent
    let values = try? url.resourceValues(forKeys: [.contentModificationDateKey])
    modified = values?.contentModificationDate ?? .distantPast
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    for bytes in data.split(separator: 0x0A) {
      guard let line = try? decoder.decode(JournalLine.self, from: Data(bytes)) else { continue }
      apply(line)
    }
  }

  private mutating func apply(_ line: JournalLine) {
    switch line {
    case .place(let found): place = found
    case .started(let text): unfinished = (text, nil, nil)
    case .run(let name, let segment):
      unfinished?.run = name
      unfinished?.segment = segment
    case .record(let record):
      records.append(record)
      unfinished = nil
    case .undone(let number, let isUndone):
      if let index = records.firstIndex(where: { $0.number == number }) {
        records[index].entry.isUndone = isUndone
      }
    case .cells(let found): cells = found
    case .saved(let count): savedCommands = count
    case .closed: isClosed = true
    }
  }

  /// Notes that another session has taken over all of it.
  func markAsRecovered() {
    guard let handle = try? FileHandle(forWritingTo: url),
      var line = try? JSONEncoder().encode(JournalLine.closed)
    else { return }
    line.insert(0x0A, at: 0)
    line.append(0x0A)
    _ = try? handle.seekToEnd()
    try? handle.write(contentsOf: line)
    try? handle.close()
  }

  /// Whether its process is still there.
  var isAlive: Bool {
    guard let process = place?.process, process > 0 else { return false }
    return kill(pid_t(process), 0) == 0 && !isClosed
  }

  /// Commands that changed something and are in no saved script.
  var unsavedChanges: Int {
    records.dropFirst(savedCommands).count {
      $0.entry.effect == .change && $0.entry.status != .failed
    }
  }

  /// The sessions of a folder that ended in a crash with something worth recovering, the latest
  /// first.
  static func crashed(in folder: URL, besides own: String) -> [RecordedSession] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".jsonl") }.compactMap {
      RecordedSession(folder.appending(path: $0))
    }.filter {
      $0.name != own && !$0.isClosed && !$0.isAlive
        && ($0.unsavedChanges > 0 || $0.unfinished != nil)
    }.sorted { $0.modified > $1.modified }
  }
}
