import DSL
import Foundation
import Model

/// Begins a run from a checkpoint of another one.
enum RunForking {
  /// lineage.json: where a run came from.
  struct Lineage: Codable, Equatable {
    /// The run whose checkpoint it began with.
    var parent: String
    /// The epochs finished in that checkpoint.
    var epoch: Int
    /// The steps done in it.
    var step: Int
    /// The settings that were changed, as they are written in a script.
    var changes: [String: String]

    /// The lineage of a run; nil for one that began by itself.
    static func of(_ run: RunDirectory) -> Lineage? {
      guard let data = try? Data(contentsOf: run.lineage) else { return nil }
      return try? JSONDecoder().decode(Self.self, from: data)
    }

    fileprivate func write(to run: RunDirectory) throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      var data = try encoder.encode(self)
      data.append(UInt8(ascii: "\n"))
      try AtomicFile.write(data, to: run.lineage)
    }
  }

  /// Makes a run's folder as if it had itself been trained up to the checkpoint of another one.
  ///
  /// - Parameters:
  ///   - checkpoint: the checkpoint of `parent`.
  ///   - changes: what the new run changes, for its lineage.
  static func fork(
    _ parent: RunDirectory, at checkpoint: Checkpoint, to name: String,
    changes: [String: String], _ state: WorkbenchState
  ) throws -> RunDirectory {
    let description = try RunParameters(of: parent)
    guard name != parent.name else {
      throw CommandError(
        "a fork needs a name of its own, not '\(name)'", hint: "name=OTHER", argument: "name")
    }
    let created = try RunDirectory.create(name, in: state.places.runs)
    if let old = created.movedAside {
      state.replay.movedAside[name] = old
      state.console.note("there was a run '\(name)'; it is now '\(old)'")
    }
    let run = created.directory
    try withExtendedLifetime(created.lock) {
      try copyCheckpoints(of: parent, checkpoint, to: run)
      try copyRows(of: parent, upTo: checkpoint.state.completedEpochs, to: run)
      try description.write(to: run)
      try? FileManager.default.copyItem(at: parent.environment, to: run.environment)
      try Lineage(
        parent: parent.name, epoch: checkpoint.state.completedEpochs, step: checkpoint.state.step,
        changes: changes
      ).write(to: run)
      let place = "epoch \(checkpoint.state.completedEpochs), step \(checkpoint.state.step)"
      try AppendFile(run.log).append(line: "forked from run '\(parent.name)' after \(place)")
    }
    return run
  }

  /// The checkpoint itself, under its own name and as the last one; the best one if it lies before.
  private static func copyCheckpoints(
    of parent: RunDirectory, _ checkpoint: Checkpoint, to run: RunDirectory
  ) throws {
    let (source, target) = (parent.checkpoints.folder, run.checkpoints.folder)
    let entries = parent.checkpoints.list().filter { $0.epoch <= checkpoint.state.completedEpochs }
    var wanted = [(checkpoint.url, "last.safetensors")]
    if checkpoint.state.epochStep == 0 {
      // 'best' may be the only name that is left of an epoch's file.
      let digits = String(checkpoint.state.completedEpochs)
      let zeros = String(repeating: "0", count: max(0, 4 - digits.count))
      wanted.append((checkpoint.url, "epoch-\(zeros)\(digits).safetensors"))
    }
    if let best = entries.first(where: { $0.epoch == checkpoint.state.best?.epoch && $0.isBest }) {
      wanted.append((best.url, "best.safetensors"))
    } else if let best = entries.first(where: {
      $0.epoch == checkpoint.state.best?.epoch && $0.epochStep == 0
    }) {
      wanted.append((best.url, "best.safetensors"))
    }
    for (file, name) in wanted {
      let copy = target.appending(path: name)
      // Checkpoints are replaced, never changed, so that two runs can share a file.
      if link(file.path, copy.path) == 0 { continue }
      do {
        try FileManager.default.copyItem(at: file, to: copy)
      } catch {
        throw CommandError(
          "cannot copy \(name) from \(source.path)", hint: "is the disk full?", exitCode: 7)
      }
    }
  }

  private static func copyRows(
    of parent: RunDirectory, upTo epoch: Int, to run: RunDirectory
  ) throws {
    let text = (try? String(contentsOf: parent.metrics, encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n").enumerated().filter { index, line in
      index == 0 || Int(line.prefix { $0 != "," }).map { $0 <= epoch } ?? false
    }
    try AtomicFile.write(
      Data(lines.map { $0.element + "\n" }.joined().utf8), to: run.metrics)
  }
}
