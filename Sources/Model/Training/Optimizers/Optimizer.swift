public import Kernels

/// A rule that turns gradients into new weights.
///
/// The rule owns its slots: flat buffers as long as the trainable weights, with the same offsets,
/// zero before the first step. A checkpoint saves them under the names of the parameters, and they
/// are all that a rule may remember.
public protocol Optimizer: AnyObject {
  /// The slots, in a fixed order.
  var slots: [OptimizerSlot] { get }
  /// Updates those weights of a store that train from their gradients; of the others neither the
  /// weights nor the slots change.
  func step(
    _ parameters: ParameterStore, _ groups: [UpdateGroup], learningRate: Double, pool: ThreadPool)
}

/// A run of the flat weight buffer that is updated in one way.
public struct UpdateGroup: Sendable {
  /// The elements.
  public let range: Range<Int>
  /// Whether weight decay applies to them.
  public let decays: Bool

  /// What trains of a network, decaying tensors first.
  static func all(of table: ParameterTable, _ freezing: Freezing) -> [UpdateGroup] {
    [(table.decayingRange, true), (table.plainRange, false)].flatMap { range, decays in
      freezing.trainedRanges(in: range).map { UpdateGroup(range: $0, decays: decays) }
    }
  }
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

  /// How many values there are.
  var count: Int { memory.count }

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
