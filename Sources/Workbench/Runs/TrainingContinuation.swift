import DSL
import Foundation
import Model

/// How a command that trains finds a run that an earlier replay has left: done, or part-way.
enum TrainingContinuation {
  /// The run stands where the command ends: its state is taken, as after the training.
  case restore(RunDirectory, Checkpoint)
  /// The run was gone on with later, and nothing looks at what lay between.
  case passOver(RunDirectory)
  /// The run was stopped part-way: it goes on with these settings, to the same bits.
  case goOn(RunDirectory, settings: HyperparameterValues)

  /// Does what is left to do of a command.
  ///
  /// - Parameters:
  ///   - model: the network that is trained; nil for the run's own.
  ///   - stop: where the command stops.
  func run(model: LoadedModel?, stop: StopPoint, _ state: WorkbenchState) throws {
    switch self {
    case .restore(let directory, let checkpoint):
      try Self.restore(directory, checkpoint, model, state)
    case .passOver(let directory):
      state.currentRun = directory.name
    case .goOn(let directory, let settings):
      let run = try TrainingRun.reopen(directory, state, model: model) { $0 = settings }
      try run.train(stop: stop)
    }
  }

  /// Gives the session the network and the data of a run, without training.
  ///
  /// - Parameter given: the network that takes the weights; nil for a new one.
  static func restore(
    _ directory: RunDirectory, _ checkpoint: Checkpoint, _ given: LoadedModel?,
    _ state: WorkbenchState
  ) throws {
    let description = try RunParameters(of: directory)
    var model: LoadedModel
    if let given {
      model = given
    } else {
      model = try RunAccess.emptyModel(of: directory, description, reusing: state.model)
      state.data = try RunAccess.data(of: directory, description, state)
    }
    try checkpoint.restore(into: model.network)
    if model.trainedBy.last != directory.name { model.trainedBy.append(directory.name) }
    state.model = model
    state.currentRun = directory.name
  }
}
