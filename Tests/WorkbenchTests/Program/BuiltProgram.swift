import Foundation
import Testing

/// The built program, started as a user starts it.
enum BuiltProgram {
  /// What a finished process left.
  struct Result {
    let status: Int32
    let output: String
    let errors: String
  }

  /// The program beside the test bundle.
  static let url: URL = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    return bundle.deletingLastPathComponent().appending(path: "workbench")
  }()

  /// The repository.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The environment of a user without settings, at home in `folder`.
  static func environment(home folder: URL, adding extra: [String: String] = [:]) -> [String:
    String]
  {
    var environment = ProcessInfo.processInfo.environment
    for name in ["HF_HOME", "HF_HUB_CACHE", "TORCH_HOME", "XDG_CACHE_HOME", "NO_COLOR", "CI"] {
      environment[name] = nil
    }
    environment["HOME"] = folder.path
    environment["WORKBENCH_HOME"] = folder.appending(path: "home").path
    environment["LC_ALL"] = "C.UTF-8"
    return environment.merging(extra) { $1 }
  }

  /// Starts the program in a folder.
  static func start(
    _ arguments: [String], in folder: URL, input: String = "", environment: [String: String] = [:]
  ) throws -> RunningProgram {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = Self.environment(home: folder, adding: environment)
    // Files, not pipes: nothing can fill up while nobody reads.
    let names = ["stdin", "stdout", "stderr"].map {
      folder.appending(path: ".\($0)-\(UUID().uuidString)")
    }
    try Data(input.utf8).write(to: names[0])
    for name in names[1...] { try Data().write(to: name) }
    process.standardInput = try FileHandle(forReadingFrom: names[0])
    process.standardOutput = try FileHandle(forWritingTo: names[1])
    process.standardError = try FileHandle(forWritingTo: names[2])
    try process.run()
    return RunningProgram(process: process, output: names[1], errors: names[2])
  }

  /// Runs the program to its end.
  static func run(
    _ arguments: [String], in folder: URL, input: String = "", environment: [String: String] = [:]
  ) throws -> Result {
    try start(arguments, in: folder, input: input, environment: environment).finish()
  }
}

/// A process of the built program.
struct RunningProgram {
  let process: Process
  fileprivate let output: URL
  fileprivate let errors: URL

  /// Waits until something has happened, at most a minute.
  func wait(until condition: () -> Bool) -> Bool {
    for _ in 0..<6000 {
      if condition() { return true }
      usleep(10_000)
    }
    return false
  }

  func finish() -> BuiltProgram.Result {
    process.waitUntilExit()
    func text(_ url: URL) -> String {
      String(decoding: (try? Data(contentsOf: url)) ?? Data(), as: UTF8.self)
    }
    // A signal that ends the process is told apart as 1000 + its number.
    let status = process.terminationStatus
    return BuiltProgram.Result(
      status: process.terminationReason == .uncaughtSignal ? 1000 + status : status,
      output: text(output), errors: text(errors))
  }
}

/// A folder of its own for a test, removed afterwards.
final class TestFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "workbench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ text: String, to name: String) throws {
    let file = url.appending(path: name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func text(_ name: String) throws -> String {
    try String(contentsOf: url.appending(path: name), encoding: .utf8)
  }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: url.appending(path: name).path)
  }

  /// The rows of a run's metrics.csv without the columns that a clock or a stop decides.
  func metrics(_ run: String) throws -> [String] {
    try text("runs/\(run)/metrics.csv").split(separator: "\n").map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      return [0, 1, 3, 4, 5, 6, 7].map { String(fields[$0]) }.joined(separator: ",")
    }
  }

  /// The lines of a run's events.jsonl so far.
  func events(_ run: String) -> [Substring] {
    ((try? text("runs/\(run)/events.jsonl")) ?? "").split(separator: "\n")
  }

  /// The weights in a run's last checkpoint, by the digest of the tensors' bytes.
  func weights(_ run: String, classes: Int = 10) throws -> String {
    try weights(
      checkpoint: url.appending(path: "runs/\(run)/ckpt/last.safetensors"), classes: classes)
  }
}
