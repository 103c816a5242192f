import DSL
import Foundation
import Model

/// Evaluates networks for commands that look.
enum Evaluating {
  /// Which images are to be seen, and how; what is not given is as in training.
  struct Viewing {
    var views = TestViews.none
    /// The side of the input in pixels.
    var inputSize: Int?
    /// The share of the resized image that a crop keeps.
    var cropFraction: Double?
  }

  /// Measures a network on some images, with the session's preprocessing; shows how far it is.
  ///
  /// - Parameter top: of how many classes to keep each image's probabilities.
  static func evaluate(
    _ model: LoadedModel, on images: any Dataset, _ data: LoadedData, viewing: Viewing = Viewing(),
    top: Int = 0, _ state: WorkbenchState
  ) throws -> (means: Evaluation, details: EvaluationDetails) {
    guard model.classCount >= data.classCount else {
      throw CommandFailureText.classCount(model, data)
    }
    var values = state.values
    if let size = viewing.inputSize { try values.set("input-size", to: .integer(size)) }
    if let fraction = viewing.cropFraction { try values.set("crop-pct", to: .number(fraction)) }
    let settings = Hyperparameters(values, for: model.preprocessing)
    let evaluator = try Evaluator(
      model.network, transform: settings.evalTransform, views: viewing.views,
      workers: settings.workers, pool: state.threadPool(settings.threads))
    var details = EvaluationDetails(classCount: model.classCount, top: top)
    state.console.progress.begin(total: images.count, label: "evaluation")
    defer { state.console.progress.finish() }
    let evaluation = try evaluator.run(images) { done, _ in
      state.console.progress.update(done)
      return !state.mustStop
    } visit: { index, label, logits in
      details.add(index: index, label: label, logits: logits)
    }
    guard let evaluation else { throw state.stopError }
    return (evaluation, details)
  }

  /// The images of a split.
  static func images(of data: LoadedData, split: String) throws -> any Dataset {
    switch split {
    case "train": return data.source.train
    case "val":
      guard data.source.hasSeparateValidation else {
        throw CommandError(
          "\(data.source.name) has no validation images besides the test images",
          hint: data.request.validationFraction == nil
            ? "load it with val-fraction=0.1 to set some aside"
            : "split=test are those that judge every epoch", argument: "split")
      }
      return data.source.validation
    default: return data.source.test
    }
  }
}

extension CommandError {
  /// What a command throws when the user stopped it with Ctrl-C or the system asked for an end.
  static var interrupted: CommandError {
    CommandError(
      "stopped", exitCode: 128 + (SignalCenter.termination ?? 2), isInterruption: true)
  }
}
