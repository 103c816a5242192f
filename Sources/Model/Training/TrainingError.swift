import Foundation

/// What can keep a training from starting, or end it.
public enum TrainingError: ModelError, Equatable {
  /// The loss, a gradient or a weight is infinite or no number.
  case diverged(DivergenceReport)
  /// The classifier has fewer outputs than the data has classes.
  case classCount(network: Int, data: Int)
  /// A checkpoint cannot be continued with this data.
  case otherData(checkpoint: String, given: String)
  /// A checkpoint cannot be continued with this network.
  case otherNetwork(checkpoint: String, given: String)
  /// A checkpoint in the middle of an epoch cannot be continued with another value of this key.
  case changedWithinEpoch(key: String, checkpoint: String, given: String, epochStep: Int)
  /// The optimizer's slots in the checkpoint belong to another rule.
  case missingSlot(String)
  /// `stop-at` names a step that lies behind.
  case stopBehind(stopAt: Int, step: Int)
  /// `stop-after` names an epoch that lies behind.
  case stopAfterBehind(epoch: Int, done: Int)
  /// The data set has no images to evaluate.
  case nothingToEvaluate(String)
  /// The network has no batch norm whose statistics could be estimated.
  case noBatchNorm(String)
}

extension TrainingError {
  /// What went wrong, in one line.
  public var message: String {
    switch self {
    case .diverged(let report):
      let place = "epoch \(report.epoch), step \(report.step)"
      return "training diverged at \(place): the \(report.quantity.rawValue) is not a finite number"
    case .classCount(let network, let data):
      return "the classifier has only \(network) outputs for the \(data) classes of the data"
    case .otherData(let checkpoint, let given):
      return "the checkpoint was trained on '\(checkpoint)', which differs from '\(given)'"
    case .otherNetwork(let checkpoint, let given):
      return "the checkpoint holds '\(checkpoint)', not '\(given)'"
    case .changedWithinEpoch(let key, let checkpoint, let given, let step):
      return "\(key) cannot change from \(checkpoint) to \(given) within an epoch, "
        + "after its step \(step)"
    case .missingSlot(let slot): return "the checkpoint has no '\(slot)'"
    case .stopBehind(let stopAt, let step):
      return "stop-at=\(stopAt) lies behind: step \(step) is done"
    case .stopAfterBehind(let epoch, let done):
      return "stop-after=\(epoch) lies behind: epoch \(done) is done"
    case .nothingToEvaluate(let name): return "'\(name)' has no test images"
    case .noBatchNorm(let model): return "\(model) has no batch norm"
    }
  }

  /// What the user can do about it.
  public var advice: String? {
    switch self {
    case .diverged(let report):
      let lower = Double(String(format: "%.1g", report.learningRate / 10)) ?? 0.001
      return "the network is back at the end of epoch \(report.restored.epoch); "
        + "try a lower learning rate, such as lr=\(HyperparameterValue.text(lower))"
    case .classCount(_, let data): return "load the network again with classes=\(data)"
    case .otherData: return "load the same data with the same limit"
    case .otherNetwork(let checkpoint, _): return "load \(checkpoint) first"
    case .changedWithinEpoch(let key, let checkpoint, _, _):
      return "keep \(key)=\(checkpoint), or go on from the checkpoint of a finished epoch"
    case .missingSlot: return "resume with the optimizer of the run"
    case .stopBehind, .stopAfterBehind, .nothingToEvaluate, .noBatchNorm: return nil
    }
  }

  /// Which sort of failure this is.
  public var kind: ModelErrorKind {
    if case .diverged = self { return .diverged }
    return .usage
  }
}
