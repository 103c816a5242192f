import DSL
import Model

/// Where a training is to stop, as `stop-at=STEP` and `stop-after=EPOCH` say; what `save` writes for one
/// that was stopped by hand or by a crash.
struct StopPoint {
  static let parameters = [
    Parameter(
      "stop-at", .integer(.from(0)),
      "stop after this step, as Ctrl-C would: what 'save' writes for a training stopped by hand"),
    Parameter(
      "stop-after", .integer(.from(1)),
      "stop when this epoch is done, judged and saved; steps and epochs count from the run's start"),
  ]
  static let keys = Set(parameters.map(\.name))

  /// The step after which it stops; behind the last of an epoch, before the epoch is judged.
  let step: Int?
  /// The epoch, counted from 1, after which it stops.
  let epoch: Int?

  init(_ invocation: Invocation) {
    step = invocation.integer("stop-at")
    epoch = invocation.integer("stop-after")
  }

  /// Where a training stands: behind an epoch, or behind a step.
  init(step: Int, epochStep: Int, completedEpochs: Int) {
    let isBehindEpoch = epochStep == 0 && completedEpochs > 0
    self.step = isBehindEpoch ? nil : step
    epoch = isBehindEpoch ? completedEpochs : nil
  }

  /// The text of a command with this stop instead of its own.
  func text(of command: String) -> String {
    let words = command.split(separator: " ").filter { word in
      !Self.keys.contains { word.hasPrefix("\($0)=") }
    }
    let own = [step.map { "stop-at=\($0)" }, epoch.map { "stop-after=\($0)" }].compactMap(\.self)
    return (words.map(String.init) + own).joined(separator: " ")
  }
}
