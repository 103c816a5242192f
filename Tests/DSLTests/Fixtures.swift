import Foundation
import Testing

/// Files beside the tests. With `RECORD_SNAPSHOTS=1` expected texts are written instead of
/// compared, and the test fails, so that a recording never passes silently.
enum Fixtures {
  static let directory = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/DSL")

  static let isRecording = ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1"

  /// The files of a folder with an ending, in alphabetical order.
  static func files(in folder: String, ending: String) -> [URL] {
    let all =
      (try? FileManager.default.contentsOfDirectory(
        at: directory.appending(path: folder), includingPropertiesForKeys: nil)) ?? []
    return all.filter { $0.pathExtension == ending }.sorted { $0.path < $1.path }
  }

  /// Compares a text with the recorded one, line by line.
  static func expectSnapshot(
    _ text: String, _ path: String, sourceLocation: Testing.SourceLocation = #_sourceLocation
  ) {
    let file = directory.appending(path: path)
    if isRecording {
      try? FileManager.default.createDirectory(
        at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try? Data(text.utf8).write(to: file)
      Issue.record("recorded \(path)", sourceLocation: sourceLocation)
      return
    }
    guard let data = try? Data(contentsOf: file) else {
      Issue.record("\(path) is missing; record it", sourceLocation: sourceLocation)
      return
    }
    let recorded = String(decoding: data, as: UTF8.self)
    #expect(
      text.split(separator: "\n", omittingEmptySubsequences: false)
        == recorded.split(separator: "\n", omittingEmptySubsequences: false),
      "\(path) differs", sourceLocation: sourceLocation)
  }
}
