public import Kernels

/// A rule that turns gradients into new weights.
///
/// The rule owns its slots: flat buffers as long as the trainable weights, with the same offsets,
/// zero before the first step. A checkpoint saves them under the names of the parameters, and they
/// are all that a rule may remember.
public protocol Optimizer: AnyObject {
  /// The slots, in a fixed order.
  var slots: [OptimizerSlot] { get }
  /// Updates the weights of a store from its gradients.
  func step(_ parameters: ParameterStore, learningRate: Double, pool: ThreadPool)
}

/// One value per trainable weight that an optimizer remembers from step to step.
public final class OptimizerSlot: Sendable {
  /// The name in checkpoints: `momentum`.
  public let name: String
  private let memory: FloatMemory

  init(name: String, count: Int) {
    self.name = name
    memory = FloatMemory(count: count)
  }

  /// The values, in the order of the store's weights.
  var values: UnsafeMutablePointer<Float> { memory.base }
}

/// The rules that the key `opt` can name.
public enum OptimizerRule: String, Sendable, CaseIterable {
  case sgd, momentum

  /// Makes the optimizer of a store of weights.
  func make(_ settings: Hyperparameters, for parameters: ParameterStore) -> any Optimizer {
    switch self {
    case .sgd, .momentum:
      return MomentumDescent(
        momentum: settings.momentum, weightDecay: settings.weightDecay, isNesterov: self == .sgd,
        for: parameters)
    }
  }
}
