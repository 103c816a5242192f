import DSL
import Foundation
import Model

/// What a replay tells the commands that it runs.
struct ReplaySituation {
  /// When the replay is to stop.
  var deadline: ContinuousClock.Instant?
  /// Whether work that has no checkpoints stops at the deadline; not where the next slice of time
  /// would have to begin it anew and find it as long.
  var stopsWorkAtDeadline = true
  /// What goes on with the replay after a stop, for messages.
  var resumeCommand: String?
  /// How the next training finds its run, where an earlier replay has left it.
  var continuation: TrainingContinuation?
  /// Is told of every training that begins.
  var trainingBegan: (RunDirectory, Hyperparameters) throws -> Void = { _, _ in }
  /// The runs that were moved aside, by their old names.
  var movedAside: [String: String] = [:]
  /// Whether everything is only tried in small.
  var isRehearsal = false
  /// Whether everything is only thought through.
  var isPlan = false
}

extension WorkbenchState {
  /// Whether the time of the replay is up.
  var isOutOfTime: Bool { replay.deadline.map { ContinuousClock.now >= $0 } ?? false }

  /// Asked by work that has no checkpoints once a batch: whether Ctrl-C, a signal or the end of the
  /// replay's time stops it.
  var mustStop: Bool {
    SignalCenter.isInterrupted || (replay.stopsWorkAtDeadline && isOutOfTime)
  }

  /// What such work throws once it has stopped.
  var stopError: CommandError {
    guard isOutOfTime, !SignalCenter.isInterrupted else { return .interrupted }
    return CommandError(
      "the time is up", hint: resumeCommand.map { "go on with: \($0)" }, exitCode: 124,
      isInterruption: true)
  }

  /// What goes on with the replay after a stop; nil where there is no replay to go on with.
  var resumeCommand: String? { replay.resumeCommand }

  /// Tells the replay that a training has begun.
  func trainingBegan(_ run: RunDirectory, _ settings: Hyperparameters) throws {
    try replay.trainingBegan(run, settings)
  }

  /// How the command that runs finds its run; said once.
  func takeContinuation() -> TrainingContinuation? {
    defer { replay.continuation = nil }
    return replay.continuation
  }
}
