/// A network: its blueprint and the values of its tensors.
///
/// It knows no mode. `TrainingGraph` trains it, `FoldedNetwork` applies it.
///
/// SAFETY: see `ParameterStore`.
public final class Network: @unchecked Sendable {
  /// The resolved architecture.
  public let blueprint: Blueprint
  /// The values of all tensors.
  public let parameters: ParameterStore

  /// Creates a network with random weights; a pure function of the blueprint and the seed.
  public convenience init(_ blueprint: Blueprint, seed: UInt64) {
    self.init(uninitialized: blueprint)
    parameters.initialize(seed: seed)
  }

  /// The same network in memory of its own.
  func copy() -> Network {
    let copy = Network(uninitialized: blueprint)
    copy.parameters.copyMatching(from: parameters)
    return copy
  }

  /// Creates a network whose tensors are all zero, to be filled from a file.
  init(uninitialized blueprint: Blueprint) {
    self.blueprint = blueprint
    parameters = ParameterStore(blueprint.parameters)
  }

  /// The same network with a new classifier for another number of classes.
  ///
  /// - Throws: `ArchitectureError.classCount` unless there is at least one class.
  public func replacingHead(classCount: Int, seed: UInt64) throws -> Network {
    let replaced = Network(
      uninitialized: try Blueprint(blueprint.variant, classCount: classCount))
    replaced.parameters.copyMatching(from: parameters)
    let classifier = replaced.blueprint.classifier
    for reference in [classifier.weight, classifier.bias] {
      replaced.parameters.initialize(replaced.blueprint.parameters[reference], seed: seed)
    }
    return replaced
  }
}
