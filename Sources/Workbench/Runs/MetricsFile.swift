import Foundation
import Model

/// metrics.csv of a run that is being trained: a header once, then a row per epoch, each safely on
/// disk before training goes on.
final class MetricsFile {
  private let file: AppendFile

  /// Opens or begins the file of a run.
  init(_ url: URL) throws {
    file = try AppendFile(url)
    if file.isEmpty { try file.append(line: MetricsRow.columns.joined(separator: ",")) }
  }

  /// Adds the row of an epoch.
  func append(_ row: MetricsRow) throws {
    try file.append(line: row.line)
  }

  /// Keeps the rows up to an epoch and moves the later ones, which a resumed training repeats, to the
  /// end of `discarded`. A line that a crash tore is dropped.
  ///
  /// - Returns: how many rows were moved.
  static func discardRows(
    after epoch: Int, in url: URL, to discarded: URL
  ) throws -> Int {
    guard FileManager.default.fileExists(atPath: url.path) else { return 0 }
    let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    let tail = lines.removeLast()
    let kept = lines.enumerated().filter { index, line in
      index == 0 || isRow(line, upTo: epoch)
    }.map(\.element)
    let moved = lines.dropFirst().filter { !isRow($0, upTo: epoch) }
    guard !moved.isEmpty || !tail.isEmpty else { return 0 }
    if !moved.isEmpty {
      // The rows are safe in their new place before they leave the old one.
      let file = try AppendFile(discarded)
      if file.isEmpty { try file.append(line: MetricsRow.columns.joined(separator: ",")) }
      for line in moved { try file.append(line: String(line)) }
    }
    let contents = kept.map { $0 + "\n" }.joined()
    try AtomicFile.write(Data(contents.utf8), to: url)
    return moved.count
  }

  private static func isRow(_ line: Substring, upTo epoch: Int) -> Bool {
    line.prefix { $0 != "," }.isEmpty == false
      && Int(line.prefix { $0 != "," }).map { $0 <= epoch } ?? false
  }
}

/// A text file to which whole lines are added, each on disk when `append` returns.
final class AppendFile {
  private let url: URL
  private let descriptor: Int32
  /// Whether nothing was in the file when it was opened and nothing was added since.
  private(set) var isEmpty: Bool

  /// Opens or creates a file.
  init(_ url: URL) throws {
    self.url = url
    descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw AtomicFile.Failure("open", url.path) }
    isEmpty = lseek(descriptor, 0, SEEK_END) <= 0
  }

  deinit { close(descriptor) }

  /// Adds a line in one write, so that a crash tears at most this one.
  func append(line: String) throws {
    try write(line, durably: true)
  }

  /// Adds a line without waiting for the disk.
  func appendSoon(line: String) throws {
    try write(line, durably: false)
  }

  private func write(_ line: String, durably: Bool) throws {
    var text = line
    text.append("\n")
    try text.withUTF8 {
      try AtomicFile.append(UnsafeRawBufferPointer($0), to: descriptor, path: url.path)
    }
    isEmpty = false
    if durably {
      // Pipes and some file systems cannot synchronise; the line is written all the same.
      guard fsync(descriptor) == 0 || errno == EINVAL else {
        throw AtomicFile.Failure("write", url.path)
      }
    }
  }
}
