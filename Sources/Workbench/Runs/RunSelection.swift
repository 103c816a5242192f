import DSL
import Foundation
import Model

/// What `runs=` and `compare` may name: runs, patterns of runs, and files of other tools.
enum RunSelection {
  /// Whether a name means a file and not a run.
  static func isFile(_ name: String) -> Bool {
    name.contains("/") || name.hasSuffix(".csv")
  }

  /// The logs that names mean, each once, in the order of the names; the current run's without any.
  ///
  /// - Parameter argument: which argument of the command the names come from.
  static func logs(
    _ names: [String], _ state: WorkbenchState, argument: String = "runs"
  ) throws -> [TrainingLog] {
    guard !names.isEmpty else { return [try TrainingLog(RunAccess.directory(nil, state))] }
    var logs: [TrainingLog] = []
    for name in names {
      for log in try self.logs(of: name, state, argument: argument)
      where !logs.contains(where: { $0.name == log.name }) {
        logs.append(log)
      }
    }
    return logs
  }

  private static func logs(
    of name: String, _ state: WorkbenchState, argument: String
  ) throws -> [TrainingLog] {
    if isFile(name) { return [try file(name, state)] }
    guard name.contains("*") else {
      return [try TrainingLog(RunAccess.directory(name, state))]
    }
    let found = RunDirectory.all(in: state.places.runs).filter { matchesWildcards($0.name, name) }
    guard !found.isEmpty else {
      throw CommandError(
        "no run matches '\(name)'", hint: "'runs' lists them", argument: argument)
    }
    return try found.map(TrainingLog.init)
  }

  /// A log file, or the folder that it lies in.
  private static func file(_ name: String, _ state: WorkbenchState) throws -> TrainingLog {
    let url = state.places.input(name)
    var isFolder: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    guard isFolder.boolValue else { return try TrainingLog(file: url, named: shortName(name)) }
    let inside = ["metrics.csv", "summary.csv"].map { url.appendingPathComponent($0) }
    guard let file = inside.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else {
      throw CommandError(
        "there is no metrics.csv or summary.csv in \(name)", argument: "runs", exitCode: 7)
    }
    return try TrainingLog(file: file, named: url.lastPathComponent)
  }

  /// The end of a path, as a legend has room for it: `old/summary`.
  private static func shortName(_ path: String) -> String {
    let parts = path.split(separator: "/").filter { $0 != "." && $0 != ".." }.suffix(2)
    let text = parts.joined(separator: "/")
    return text.hasSuffix(".csv") ? String(text.dropLast(4)) : text
  }
}
