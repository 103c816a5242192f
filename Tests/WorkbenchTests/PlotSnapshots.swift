import Foundation
import Testing

/// Compares text with a recorded file in `Tests/Fixtures/Plot`. `RECORD_SNAPSHOTS=1` records anew
/// and fails the test, so that a recording never passes unseen.
func expectSnapshot(
  _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/Plot/\(name)")
  if ProcessInfo.processInfo.environment["RECORD_SNAPSHOTS"] == "1" {
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    Issue.record("recorded \(name)", sourceLocation: sourceLocation)
    return
  }
  let expected = try String(contentsOf: url, encoding: .utf8)
  guard text != expected else { return }
  let (new, old) = (text.split(separator: "\n"), expected.split(separator: "\n"))
  let line = zip(new, old).enumerated().first { $0.element.0 != $0.element.1 }
  let difference =
    line.map { "line \($0.offset + 1) is\n  \($0.element.0)\nexpected\n  \($0.element.1)" }
    ?? "\(new.count) lines, expected \(old.count)"
  Issue.record("\(name) differs: \(difference)", sourceLocation: sourceLocation)
}

/// A folder that lasts as long as the test needs it.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("workbench-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: url)
  }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// The names in the folder, hidden ones included, in order.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
  }

  /// A program that another one finds in its path as gnuplot.
  func writeStandIn(_ body: String) throws {
    let url = file("gnuplot")
    try Data("#!/bin/sh\n\(body)\n".utf8).write(to: url)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
  }

  /// The command of a program that stands in for gnuplot, whose name it bears.
  ///
  /// Its text is an argument, not a file: a file just written can't be started ("text file busy")
  /// while a process that another test is starting at that moment still holds it open.
  func standIn(_ body: String) throws -> [String] {
    let shell = file("gnuplot")
    try FileManager.default.createSymbolicLink(
      at: shell, withDestinationURL: URL(fileURLWithPath: "/bin/sh"))
    return [shell.path, "-c", body]
  }
}
