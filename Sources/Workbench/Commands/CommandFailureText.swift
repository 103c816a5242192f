import DSL
import Foundation
import Model

/// The failures that several commands share.
enum CommandFailureText {
  static let noModel = CommandError(
    "no model is loaded", hint: "load one first: load tf_efficientnetv2_b0 ('models' lists them)")
  static let noData = CommandError(
    "no data is loaded", hint: "load some first: data digits, or data cifar10 dir=PATH")

  /// The classifier has another number of outputs than the data has classes.
  static func classCount(_ model: LoadedModel, _ data: LoadedData) -> CommandError {
    CommandError(
      "the classifier has \(model.classCount) outputs, but \(data.source.name) has "
        + "\(data.classCount) classes",
      hint: "load the model again with classes=auto")
  }
}

/// Translates what a command throws into what the interpreter joins to the statement.
func translated(_ error: any Error) -> any Error {
  switch error {
  case let error as any ModelError:
    return CommandError(error.message, hint: error.advice, exitCode: error.kind.exitCode)
  case let error as PlotError:
    return CommandError(
      error.message, hint: error.advice, exitCode: error.isResource ? 7 : 3,
      isInterruption: error == .interrupted)
  case is any CommandFailure, is StopRun, is ScriptError:
    return error
  case let error as CocoaError:
    let path = error.filePath ?? error.url?.path
    return CommandError(
      (path.map { "\($0): " } ?? "") + error.localizedDescription, exitCode: 7)
  default:
    // Nothing that a user or a file can cause comes here.
    return CommandError("the program itself went wrong: \(error)", exitCode: 1)
  }
}

extension ModelErrorKind {
  /// The process's exit code for a failure of this sort.
  var exitCode: Int32 {
    switch self {
    case .usage: 3
    case .diverged: 6
    case .resource: 7
    }
  }
}
