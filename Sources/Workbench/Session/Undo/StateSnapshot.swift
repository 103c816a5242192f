import DSL
import Foundation
import Model

/// The state before a command: what `undo` returns to.
///
/// Settings and cells are values and are kept in memory; the network is written to disk, and only by
/// commands that change it; data is remembered by how it was asked for, and read again.
struct StateSnapshot {
  /// A network on disk, with what is known about it.
  struct SavedModel {
    fileprivate let variant: Variant
    fileprivate let blueprint: Blueprint
    fileprivate let classes: LoadedModel.Classes
    fileprivate let weights: LoadedModel.Weights
    fileprivate let runPreprocessing: Preprocessing?
    fileprivate let classNames: [String]
    fileprivate let trainedBy: [String]
    let file: URL

    init(_ model: LoadedModel, file: URL) throws {
      try FileWriting.makeFolder(of: file)
      try NetworkSnapshot.write(model.network, to: file)
      variant = model.variant
      blueprint = model.network.blueprint
      classes = model.classes
      weights = model.weights
      runPreprocessing = model.runPreprocessing
      classNames = model.classNames
      trainedBy = model.trainedBy
      self.file = file
    }

    func load() throws -> LoadedModel {
      LoadedModel(
        variant: variant, network: try NetworkSnapshot.read(file, blueprint), classes: classes,
        weights: weights, runPreprocessing: runPreprocessing, classNames: classNames,
        trainedBy: trainedBy)
    }
  }

  /// The slot `model`.
  enum ModelSlot {
    /// The command leaves it alone.
    case untouched
    case empty
    case saved(SavedModel)
  }

  private let values: HyperparameterValues
  private let sources: [String: String]
  private let currentRun: String?
  private let data: (request: DataRequest, fingerprint: String)?
  let cells: SessionCells
  let model: ModelSlot

  /// Remembers the state; the network only if a file for it is given.
  init(_ state: WorkbenchState, modelFile: URL?) throws {
    values = state.values
    sources = state.sources
    currentRun = state.currentRun
    data = state.data.map { ($0.request, $0.source.fingerprint) }
    cells = state.cells
    switch (modelFile, state.model) {
    case (nil, _): model = .untouched
    case (_, nil): model = .empty
    case (let file?, let loaded?): model = .saved(try SavedModel(loaded, file: file))
    }
  }

  /// The bytes it takes on disk.
  var bytes: Int {
    guard case .saved(let saved) = model else { return 0 }
    let values = try? saved.file.resourceValues(forKeys: [.fileSizeKey])
    return values?.fileSize ?? 0
  }

  /// Puts the state back. When it throws, nothing has changed.
  func restore(_ state: WorkbenchState) throws {
    let model = try restoredModel(state.model)
    state.data = try restoredData(state)
    state.model = model
    state.values = values
    state.sources = sources
    state.currentRun = currentRun
    state.cells = cells
  }

  /// Puts the network alone back, after a command that failed on the way.
  func restoreModel(_ state: WorkbenchState) throws {
    state.model = try restoredModel(state.model)
  }

  private func restoredModel(_ current: LoadedModel?) throws -> LoadedModel? {
    switch model {
    case .untouched: current
    case .empty: nil
    case .saved(let saved): try saved.load()
    }
  }

  private func restoredData(_ state: WorkbenchState) throws -> LoadedData? {
    guard let data else { return nil }
    if let present = state.data, present.source.fingerprint == data.fingerprint { return present }
    let loaded = try DataLoading.load(data.request, state)
    guard loaded.source.fingerprint == data.fingerprint else {
      throw CommandError(
        "the files of '\(data.request.name)' have changed since they were loaded",
        hint: "put the old ones back, or go on from here", exitCode: 7)
    }
    return loaded
  }
}
