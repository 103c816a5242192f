import DSL
import Foundation
import Model

/// `--smoke`: every command of a script in small, in a folder of its own that is removed afterwards.
///
/// A training takes two steps on one batch, evaluates that many images and keeps its state, so that
/// there are checkpoints to load and two rows to draw; an evaluation sees a few images; `bench` and
/// `profile` measure once; an `expect` asks only whether its metric is there. Everything else runs as it is.
struct Rehearsal {
  private let script: CheckedScript
  private let options: ReplayOptions
  private let state: WorkbenchState

  init(_ script: CheckedScript, _ options: ReplayOptions, _ state: WorkbenchState) {
    self.script = script
    self.options = options
    self.state = state
  }

  /// Tries everything.
  ///
  /// - Returns: the exit code of the replay in small.
  func run() throws -> Int32 {
    try Requirements.check(script, state)
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "workbench-smoke-\(UUID().uuidString)", directoryHint: .isDirectory)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var places = state.places
    places.output = folder
    places.isRehearsal = true
    try Self.copyRuns(from: state.places.runs, to: places.runs)
    let small = WorkbenchState(
      console: state.console, journal: Journal(folder: nil), places: places, isInteractive: false,
      plots: state.plots)
    small.values = state.values
    small.sources = state.sources
    small.forcedKeys = state.forcedKeys
    small.replay.isRehearsal = true
    var options = options
    options.ledgerName = nil
    let code = try ReplayRun(script, options, small).run()
    if code == 0 {
      let left = script.steps.map(\.invocation).filter(Self.leavesOut)
        .map { $0.name == "data" ? "data verify" : $0.name }
      let tried = script.steps.count - left.count
      let others = "\(left.count) not tried: \(Set(left).sorted().joined(separator: ", "))"
      state.console.print(
        "smoke: "
          + (left.isEmpty ? "all \(tried) commands work" : "\(tried) commands work, \(others)")
          + "; nothing was kept")
    }
    return code
  }

  /// The commands that are not tried: they use the network, start programs or read all of the data.
  static func leavesOut(_ invocation: Invocation) -> Bool {
    ["download", Checker.shellVerb, "replay"].contains(invocation.name)
      || invocation.name == "data" && invocation.string("name") == "verify"
  }

  /// The runs that are there already, small files copied, checkpoints as links: what is written goes
  /// to the copies.
  private static func copyRuns(from source: URL, to target: URL) throws {
    for run in RunDirectory.all(in: source) {
      let copy = target.appending(path: run.name)
      let names = FileManager.default.subpaths(atPath: run.url.path) ?? []
      for name in names where name != ".lock" {
        let (file, place) = (run.url.appending(path: name), copy.appending(path: name))
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
        if isFolder.boolValue { continue }
        try FileWriting.makeFolder(of: place)
        if name.hasSuffix(".safetensors") {
          try FileManager.default.createSymbolicLink(at: place, withDestinationURL: file)
        } else {
          try FileManager.default.copyItem(at: file, to: place)
        }
      }
    }
  }

  // MARK: In small

  /// The data and the settings of a training in small.
  ///
  /// - Parameter checkpoint: what it goes on from.
  static func training(
    _ data: DataSource, _ settings: Hyperparameters, _ model: LoadedModel,
    from checkpoint: Checkpoint?
  ) throws -> (data: DataSource, settings: Hyperparameters) {
    let largest = settings.progression.stages.map(\.batchSize).max() ?? settings.batchSize
    let batch = largest * settings.optimizer.accumulation
    // A real run's checkpoint can only be gone on with on all of its data.
    let isReal = checkpoint.map { $0.state.dataFingerprint == data.fingerprint } ?? false
    var values = settings.values
    let steps = (checkpoint?.state.step ?? 0) + 2
    try values.set("max-steps", to: .integer(min(steps, settings.maxSteps ?? steps)))
    try values.set("val-interval", to: .integer(1))
    try values.set("checkpoint-every", to: .integer(1))
    try values.unset("time-limit")
    return (
      isReal ? data : try data.limited(to: batch),
      Hyperparameters(values, for: model.preprocessing)
    )
  }

  /// A few of the images.
  static func shrunk(_ data: LoadedData) throws -> LoadedData {
    LoadedData(source: try data.source.limited(to: 16), request: data.request)
  }
}
