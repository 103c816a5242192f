import Foundation
import Model

/// The plain folder of one run: its settings, its numbers, its log and its checkpoints.
struct RunDirectory: Sendable, Equatable {
  /// The folder.
  let url: URL

  /// The run's name.
  var name: String { url.lastPathComponent }
  /// The settings of the training.
  var parameters: URL { url.appending(path: "params.json") }
  /// A row per epoch.
  var metrics: URL { url.appending(path: "metrics.csv") }
  /// The same in the form of timm's train.py, where `summary-csv` asks for it.
  var summary: URL { url.appending(path: "summary.csv") }
  /// Rows that a resumed training repeated.
  var discardedMetrics: URL { url.appending(path: "metrics.discarded.csv") }
  /// What happened, a JSON object a line.
  var events: URL { url.appending(path: "events.jsonl") }
  /// What happened, for people.
  var log: URL { url.appending(path: "log.txt") }
  /// The machine and the program.
  var environment: URL { url.appending(path: "env.json") }
  /// Where the run came from, if it began with a checkpoint of another one.
  var lineage: URL { url.appending(path: "lineage.json") }
  /// The checkpoints.
  var checkpoints: CheckpointStore {
    CheckpointStore(folder: url.appending(path: "ckpt", directoryHint: .isDirectory))
  }

  private init(_ url: URL) {
    self.url = url
  }

  /// A new folder, locked for this process.
  struct Created {
    let directory: RunDirectory
    let lock: RunLock
    /// The name that an older run of the same name bears now.
    let movedAside: String?
  }

  /// Makes the folder of a new run; an older run of the same name is kept under the next free one of
  /// NAME.1, NAME.2, ...
  /// - Throws: `RunError.badName`, `RunError.busy` when the older run is still being trained, and what
  ///   the file system refuses.
  static func create(_ name: String, in root: URL) throws -> Created {
    let url = try self.url(of: name, in: root)
    do {
      try FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    } catch {
      throw AtomicFile.Failure("create", root.path)
    }
    var movedAside: String?
    if FileManager.default.fileExists(atPath: url.path) {
      // Held while the folder moves, so that nobody begins to train in it meanwhile.
      let lock = try RunLock.take(url)
      movedAside = try withExtendedLifetime(lock) { try moveAside(url, in: root) }
    }
    guard mkdir(url.path, 0o755) == 0 else { throw AtomicFile.Failure("create", url.path) }
    let directory = RunDirectory(url)
    let lock = try RunLock.take(url)
    let checkpoints = directory.checkpoints.folder
    guard mkdir(checkpoints.path, 0o755) == 0 else {
      throw AtomicFile.Failure("create", checkpoints.path)
    }
    return Created(directory: directory, lock: lock, movedAside: movedAside)
  }

  /// The folder of an existing run.
  /// - Throws: `RunError.badName`, `RunError.unknown`.
  static func open(_ name: String, in root: URL) throws -> RunDirectory {
    let directory = RunDirectory(try url(of: name, in: root))
    guard
      FileManager.default.fileExists(atPath: directory.metrics.path)
        || FileManager.default.fileExists(atPath: directory.parameters.path)
    else { throw RunError.unknown(name) }
    return directory
  }

  /// The existing runs of a folder, by name; empty when there is no such folder.
  static func all(in root: URL) -> [RunDirectory] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
    return names.sorted().compactMap { try? open($0, in: root) }
  }

  /// Takes the right to train the run.
  /// - Throws: `RunError.busy`.
  func lock() throws -> RunLock {
    try RunLock.take(url)
  }

  /// Whether a living process trains the run.
  var isBusy: Bool { RunLock.isHeld(url) }

  /// Whether a name can be a run's.
  static func isValid(_ name: String) -> Bool {
    let allowed = name.unicodeScalars.allSatisfy {
      ($0.isASCII && ($0.properties.isAlphabetic || $0.properties.numericType != nil))
        || "-_.".unicodeScalars.contains($0)
    }
    return allowed && !name.isEmpty && !name.hasPrefix(".") && name.utf8.count <= 120
  }

  private static func url(of name: String, in root: URL) throws -> URL {
    guard isValid(name) else { throw RunError.badName(name) }
    return root.appending(path: name, directoryHint: .isDirectory)
  }

  private static func moveAside(_ url: URL, in root: URL) throws -> String {
    var number = 1
    while true {
      let name = "\(url.lastPathComponent).\(number)"
      let target = root.appending(path: name)
      // Taking the name first keeps two processes from moving onto one another; a folder may replace
      // an empty one.
      if mkdir(target.path, 0o755) == 0 {
        guard rename(url.path, target.path) == 0 else {
          let failure = AtomicFile.Failure("move aside", url.path)
          rmdir(target.path)
          throw failure
        }
        return name
      }
      guard errno == EEXIST else { throw AtomicFile.Failure("move aside", url.path) }
      number += 1
    }
  }
}
