import DSL
import Foundation
import Model

/// Writes results that a command was asked to put into a file: whole or not at all.
enum FileWriting {
  /// Writes a text through a temporary file; missing folders are made.
  ///
  /// - Throws: a failure with exit code 7 that names the path and the reason.
  static func write(_ text: String, to url: URL, executable: Bool = false) throws {
    try makeFolder(of: url)
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder), isFolder.boolValue
    {
      throw CommandError(
        "\(url.path) is a folder", hint: "name a file in it", exitCode: 7)
    }
    try AtomicFile.write(Data(text.utf8), to: url)
    if executable { chmod(url.path, 0o755) }
  }

  /// Makes the folder that a file is to stand in, and those above it.
  ///
  /// - Throws: a failure with exit code 7 that names the path.
  static func makeFolder(of url: URL) throws {
    do {
      try FileManager.default.createDirectory(
        at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    } catch {
      throw CommandError(
        "cannot make the folder \(url.deletingLastPathComponent().path)",
        hint: "write somewhere else, or change its permissions", exitCode: 7)
    }
  }
}
