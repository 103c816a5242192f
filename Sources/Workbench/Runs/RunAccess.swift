import DSL
import Foundation
import Model

/// Finds runs by name and loads what they hold.
enum RunAccess {
  /// The folder of a run; of the current one if no name is given.
  static func directory(_ name: String?, _ state: WorkbenchState) throws -> RunDirectory {
    if let name { return try open(name, state) }
    if let current = state.currentRun { return try open(current, state) }
    if let latest = RunSummary.all(in: state.places.runs).first {
      return try open(latest.name, state)
    }
    throw CommandError("there is no run yet", hint: "'train' makes one")
  }

  private static func open(_ name: String, _ state: WorkbenchState) throws -> RunDirectory {
    do {
      return try RunDirectory.open(name, in: state.places.runs)
    } catch RunError.unknown(let name) {
      let names = RunDirectory.all(in: state.places.runs).map(\.name)
      throw CommandError(
        "there is no run '\(name)'",
        hint: Suggestion.didYouMean(name, among: names)
          ?? (names.isEmpty ? "'train' makes one" : "'runs' lists them"))
    }
  }

  /// The run that `resume` means: the named one, the current one, or the last that did not finish.
  static func resumable(_ name: String?, _ state: WorkbenchState) throws -> RunDirectory {
    if name != nil || state.currentRun != nil { return try directory(name, state) }
    let runs = RunSummary.all(in: state.places.runs)
    guard let run = runs.first(where: { ![.finished, .running].contains($0.status) }) ?? runs.first
    else { throw CommandError("there is no run to resume", hint: "'train' makes one") }
    return try open(run.name, state)
  }

  /// The data of a run: that of the session if it is the same, else loaded as the run had it.
  static func data(
    of run: RunDirectory, _ description: RunParameters, _ state: WorkbenchState
  ) throws -> LoadedData {
    if let data = state.data, data.source.fingerprint == description.dataFingerprint { return data }
    let request = DataRequest(description, EnvironmentRecord.of(run))
    let data = try DataLoading.load(request, state)
    guard data.source.fingerprint == description.dataFingerprint else {
      throw CommandError(
        "the data of run '\(run.name)' has changed since it was trained",
        hint: "load the same files: data \(request.name) "
          + (request.name == "tar" ? "file=PATH" : "dir=PATH"), exitCode: 7)
    }
    state.console.note("loaded \(description.data), the data of run '\(run.name)'")
    return data
  }

  /// The data of a run by its name.
  static func data(of name: String, _ state: WorkbenchState) throws -> LoadedData {
    let run = try directory(name, state)
    return try data(of: run, RunParameters(of: run), state)
  }

  /// A network of the shape that a run trains, to be filled from a checkpoint; `loaded` is reused
  /// where it fits.
  static func emptyModel(
    of run: RunDirectory, _ description: RunParameters, checkpoint: String = "last",
    reusing loaded: LoadedModel? = nil
  ) throws -> LoadedModel {
    let variant = try description.variant
    let classCount = description.classCount ?? description.classes.count
    let network: Network
    if let loaded, loaded.variant.qualifiedLoadText == variant.qualifiedLoadText,
      loaded.classCount == classCount
    {
      network = loaded.network
    } else {
      network = Network(try Blueprint(variant, classCount: classCount), seed: 0)
    }
    return LoadedModel(
      variant: variant, network: network,
      classes: classCount == description.classes.count ? .auto : .keep,
      weights: .run(run.name, checkpoint: checkpoint),
      runPreprocessing: description.preprocessing(of: variant), classNames: description.classes)
  }

  /// A run's network with the weights of one of its checkpoints: `last`, `best` or an epoch.
  ///
  /// - Parameter weights: by default the running mean of the weights, where the run has one: that is
  ///   what its metrics are about.
  static func model(
    of name: String, which: String, weights: Checkpoint.Weights = .averaged,
    _ state: WorkbenchState
  ) throws -> LoadedModel {
    let run = try directory(name, state)
    var model = try emptyModel(of: run, RunParameters(of: run), checkpoint: which)
    try checkpoint(of: run, which, state).restore(into: model.network, weights)
    model.trainedBy = [run.name]
    return model
  }

  /// The checkpoint of a run that `last`, `best` or an epoch's number means.
  static func checkpoint(
    of run: RunDirectory, _ which: String, _ state: WorkbenchState
  ) throws -> Checkpoint {
    switch which {
    case "last": return try run.checkpoints.load(.last)
    case "best": return try run.checkpoints.load(.best)
    default:
      guard let epoch = Int(which), epoch >= 0 else {
        throw CommandError(
          "'\(which)' is no checkpoint", hint: "last, best or the number of an epoch")
      }
      // Tried in small, a run does not come to its later epochs.
      let isMissing = state.replay.isRehearsal && !run.checkpoints.epochs.contains(epoch)
      return try run.checkpoints.load(isMissing ? .last : .epoch(epoch))
    }
  }

  /// The checkpoints of a run, the latest first.
  static func checkpointTable(_ run: RunDirectory, _ state: WorkbenchState) throws -> Table {
    let rows = run.checkpoints.list().map { entry -> [Table.Cell] in
      let marks = [entry.isLast ? "last" : nil, entry.isBest ? "best" : nil].compactMap { $0 }
      return [
        .init("\(run.name)@\(marks.first ?? "\(entry.epoch)")"),
        .init(entry.epoch), .init(entry.step),
        .init(entry.evaluation?.loss, decimals: 4), .init(entry.evaluation?.top1, decimals: 2),
        .init(marks.joined(separator: " ")),
        .init(.integer(entry.bytes), text: NumberText.bytes(entry.bytes)),
        .init(DateText.minute(entry.modified)),
      ]
    }
    return Table(
      [
        .init("checkpoint"), .init("epoch", .right), .init("step", .right),
        .init("eval_loss", .right), .init("top1", .right), .init("is"),
        .init("size", key: "bytes", .right), .init("written"),
      ], rows: rows)
  }
}
