import DSL
import Foundation

/// One command of a session on disk: what it was, how it went, and what `save` needs to know.
struct JournalRecord: Codable, Sendable {
  var number: Int
  var time: Date
  /// The command as typed.
  var typed: String
  var milliseconds: Int
  /// What went wrong, if it failed.
  var error: String?
  /// Status, effect, slots, and the text that a script would hold.
  var entry: JournalEntry
}

/// The record of a session: in memory for `save`, and on disk, a line per command, for what
/// survives a crash.
///
/// A journal that cannot be written does not stop the work: the first failure is reported once
/// through `onFailure`, and the session goes on in memory.
final class Journal {
  /// The session's name: when it started, and the process.
  let session: String
  /// The file on disk; made with the first command.
  let url: URL?
  private(set) var records: [JournalRecord] = []
  /// Called once, when the file cannot be written.
  var onFailure: (String) -> Void = { _ in }
  /// Where the session works, for whoever recovers it.
  var place = JournalLine.Place(folder: "", output: "", process: Int(getpid()))

  private var handle: FileHandle?
  private var failed = false
  private var writtenCells: JournalLine.Cells?
  private let encoder: JSONEncoder

  /// Creates a journal; one without a folder is kept in memory alone (headless replays).
  init(folder: URL?) {
    session = "\(DateText.name(Date()))-\(getpid())"
    url = folder?.appendingPathComponent("\(session).jsonl")
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
  }

  /// Adds a command and puts it on disk before it returns.
  func append(_ record: JournalRecord) {
    records.append(record)
    write(.record(record))
  }

  /// A command begins: if the program dies now, this is the one that is lost.
  func noteStart(_ text: String) {
    // Most commands take no time; the line goes to disk with the next that does.
    write(.started(text))
  }

  /// The training that just began has this name, and is this part of its run, counted from 1.
  func noteRun(_ name: String, segment: Int) { write(.run(name, segment)) }

  /// The session's cells are these now; written only when they have changed.
  func noteCells(_ document: CellDocument) {
    let cells = JournalLine.Cells(text: document.text, keys: document.cells.map(\.key))
    guard cells != writtenCells, !document.isEmpty || writtenCells != nil else { return }
    writtenCells = cells
    write(.cells(cells))
  }

  /// `save` covered everything so far.
  func noteSaved() { write(.saved(records.count)) }

  /// The session ended as it should.
  func close() {
    guard handle != nil else { return }
    write(.closed)
    try? handle?.close()
    handle = nil
    failed = true
  }

  /// Marks a command as undone, or as done again.
  func mark(_ number: Int, isUndone: Bool) {
    guard let index = records.firstIndex(where: { $0.number == number }) else { return }
    records[index].entry.isUndone = isUndone
    write(.undone(number, isUndone))
  }

  /// What every slot holds after the commands so far.
  var slotKeys: SlotKeys {
    var keys = SlotKeys()
    for record in records { keys.apply(record.entry) }
    return keys
  }

  private func write(_ line: JournalLine) {
    guard let url, !failed else { return }
    do {
      if handle == nil {
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        _ = FileManager.default.createFile(
          atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
        handle = try FileHandle(forWritingTo: url)
        try put(.place(place))
      }
      try put(line)
      try handle?.synchronize()
    } catch {
      failed = true
      onFailure("the journal \(url.path) cannot be written: \(error.localizedDescription)")
    }
  }

  private func put(_ line: JournalLine) throws {
    var data = try encoder.encode(line)
    data.append(0x0A)
    try handle?.write(contentsOf: data)
  }
}
