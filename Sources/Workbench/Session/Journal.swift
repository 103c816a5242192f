import DSL
import Foundation

/// What happened to one command of a session.
enum CommandStatus: String, Codable, Sendable {
  case ok
  case failed
  /// Stopped by the user; what it had done until then is kept.
  case interrupted
}

/// One command as the journal keeps it: enough to write the session as a script.
struct JournalEntry: Codable, Sendable {
  var number: Int
  var time: Date
  /// The command as typed.
  var text: String
  /// The command as a script would say it: aliases expanded, implicit values that matter explicit.
  var canonical: String
  var status: CommandStatus
  var milliseconds: Int
  /// Whether it only looked, changed something, or made a file.
  var effect: Signature.Effect
  var reads: [String]
  var writes: [String]
  /// What went wrong, if it failed.
  var error: String?
}

/// The record of a session: in memory for `save`, and on disk, a line per command, for what
/// survives a crash.
///
/// A journal that cannot be written does not stop the work: the first failure is reported once
/// through `onFailure`, and the session goes on in memory.
final class Journal {
  /// The session's name: when it started, and the process.
  let session: String
  /// The file on disk; made with the first entry.
  let url: URL?
  private(set) var entries: [JournalEntry] = []
  /// Called once, when the file cannot be written.
  var onFailure: (String) -> Void = { _ in }

  private var handle: FileHandle?
  private var failed = false
  private let encoder: JSONEncoder

  /// Creates a journal; one without a folder is kept in memory alone (headless replays).
  init(folder: URL?) {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "UTC")
    formatter.dateFormat = "yyyyMMdd-HHmmss"
    session = "\(formatter.string(from: Date()))-\(getpid())"
    url = folder?.appendingPathComponent("\(session).jsonl")
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
  }

  /// Adds an entry and puts it on disk before it returns.
  func append(_ entry: JournalEntry) {
    entries.append(entry)
    guard let url, !failed else { return }
    do {
      if handle == nil {
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        FileManager.default.createFile(
          atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
        handle = try FileHandle(forWritingTo: url)
      }
      var line = try encoder.encode(entry)
      line.append(0x0A)
      try handle?.write(contentsOf: line)
      try handle?.synchronize()
    } catch {
      failed = true
      onFailure("the journal \(url.path) cannot be written: \(error.localizedDescription)")
    }
  }
}
