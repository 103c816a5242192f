import DSL
import Foundation
import Kernels
import Model

/// Everything that the commands read and write: the context of the language's interpreter.
///
/// The slots are `params.KEY` (`values`), `data`, `model` and the runs on disk; the rest says where
/// the program's words and files go.
final class WorkbenchState {
  /// The hyperparameters that were set, and the defaults of all others.
  var values = HyperparameterValues()
  /// Where each hyperparameter that is not at its default got its value: `set`, `-O`.
  var sources: [String: String] = [:]
  /// The network, once one is loaded.
  var model: LoadedModel?
  /// The data, once some is loaded.
  var data: LoadedData?
  /// The run that `plot`, `resume` and others mean when none is named.
  var currentRun: String?

  let console: Console
  let plots: any PlotSink
  let journal: Journal
  let places: Places
  /// Whether a person types the commands.
  let isInteractive: Bool
  /// The statement that is running, as a script would say it; a command that knows better (a
  /// training that was stopped by hand) replaces it, and the journal keeps that.
  var canonicalText = ""
  /// Set by a command that turned out to change nothing (`checkpoint list`).
  var onlyLooked = false
  /// Slots that the command's signature names and that it turned out to leave alone.
  var untouchedSlots: Set<Slot> = []
  /// How many commands of the journal the last `save` covered.
  var savedCommands = 0
  /// The scripts that this session wrote, which it may write again.
  var savedFiles: Set<String> = []
  /// Whether each command is followed by how long it took.
  var showsTiming = false
  /// Set by `quit --force`.
  var quitsWithoutAsking = false
  /// Keys that `-O` forces, which no statement of a script may change.
  var forcedKeys: Set<String> = []
  /// What a replay knows that the commands must know.
  var replay = ReplaySituation()

  /// The cells of the session, and how they stand.
  var cells = SessionCells()
  /// What can be undone; nil where no person types.
  let undo: UndoHistory?

  private var pool: ThreadPool?

  init(
    console: Console, journal: Journal, places: Places, isInteractive: Bool,
    plots: any PlotSink = GnuplotSink()
  ) {
    self.console = console
    self.plots = plots
    self.journal = journal
    self.places = places
    self.isInteractive = isInteractive
    undo =
      isInteractive
      ? UndoHistory(folder: HomeFolder.url.appending(path: "undo/\(journal.session)")) : nil
    journal.place = JournalLine.Place(
      folder: places.current.path, output: places.output.path, process: Int(getpid()))
  }

  /// The session ends as it should: what only helps against accidents is tidied away.
  func end() {
    undo?.clear(self)
    journal.close()
  }

  /// The threads that compute; made anew when their number changes.
  func threadPool(_ threads: Int) -> ThreadPool {
    if let pool, pool.threads == threads { return pool }
    let made = ThreadPool(threads: threads)
    pool = made
    return made
  }

  /// Commands that changed something and are in no saved script.
  var unsavedChanges: Int {
    journal.records.dropFirst(savedCommands)
      .count { $0.entry.effect == .change && $0.entry.status != .failed && !$0.entry.isUndone }
  }

  /// The seed in force.
  var seed: UInt64 {
    if case .integer(let number) = values["seed"] { UInt64(number) } else { 0 }
  }

  /// The network, or the error that says how to get one.
  func requireModel() throws -> LoadedModel {
    guard let model else {
      throw CommandFailureText.noModel
    }
    return model
  }

  /// The data, or the error that says how to get some.
  func requireData() throws -> LoadedData {
    guard let data else { throw CommandFailureText.noData }
    return data
  }

  /// The settings, resolved against a network.
  func settings(for model: LoadedModel) -> Hyperparameters {
    Hyperparameters(values, for: model.preprocessing)
  }

  /// Asked by long work once a step: Ctrl-C once finishes the step, twice drops it.
  func stopRequest() -> StopRequest {
    if SignalCenter.termination != nil { return .finishBatch }
    switch SignalCenter.interrupt {
    case .none: return .none
    case .once: return .finishBatch
    case .twice: return .abandon
    }
  }
}

/// Where files are looked for and written.
struct Places: Sendable {
  /// The folder of the script that runs; nil at the prompt.
  var script: URL?
  /// Where runs and written files go.
  var output: URL
  /// Where a relative path on the command line counts from.
  var current = URL(
    fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)

  /// Whether a script is only tried: whatever it writes goes below `output`, and is found there.
  var isRehearsal = false

  /// The folder that holds a folder per run.
  var runs: URL { output.appendingPathComponent("runs", isDirectory: true) }

  /// The file that an input path means: beside the script if it is there, else from where the
  /// program was started.
  func input(_ path: String) -> URL {
    if isRehearsal {
      let written = output(path)
      if FileManager.default.fileExists(atPath: written.path) { return written }
    }
    let path = (path as NSString).expandingTildeInPath
    if path.hasPrefix("/") { return URL(fileURLWithPath: path) }
    if let script {
      let beside = script.appendingPathComponent(path).standardizedFileURL
      if FileManager.default.fileExists(atPath: beside.path) { return beside }
    }
    return current.appendingPathComponent(path).standardizedFileURL
  }

  /// The file that an output path means: below the output folder.
  func output(_ path: String) -> URL {
    let path = (path as NSString).expandingTildeInPath
    if path.hasPrefix("/") && !isRehearsal { return URL(fileURLWithPath: path) }
    return output.appendingPathComponent(path).standardizedFileURL
  }

  /// A path as one shows it: relative to where the program was started, if it lies below.
  func display(_ url: URL) -> String {
    let base = current.standardizedFileURL.path
    let path = url.standardizedFileURL.path
    return path.hasPrefix(base + "/") ? String(path.dropFirst(base.count + 1)) : path
  }
}
