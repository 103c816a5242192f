public import Kernels

/// A rule that turns gradients into new weights, with what it remembers of one network.
///
/// The rule owns its slots: what they hold and `updates` are all that it may remember. A checkpoint
/// saves the slots under the names of the parameters; the updates are the steps of its training.
public protocol Optimizer: AnyObject {
  /// The slots, in a fixed order.
  var slots: [OptimizerSlot] { get }
  /// Updates done so far; whoever restores the slots restores this too.
  var updates: Int { get set }
  /// Updates those weights that train from their gradients; of the others neither the weights nor
  /// the slots change.
  ///
  /// - Returns: whether their gradients were finite. Where some are not, others may have been used: the
  ///   training returns to a state that it kept.
  @discardableResult
  func step(learningRate: Double, pool: ThreadPool) -> Bool
  /// Is told when the last step of an epoch is done.
  func finishEpoch(pool: ThreadPool)
}

/// An optimizer that needs nothing but a weight's own gradient, so that some weights may be updated before
/// the gradients of others are there.
protocol PartwiseOptimizer: Optimizer {
  /// Counts a step, all parts of which are then updated, each once.
  func beginStep()
  /// Updates what trains of a range of the flat weight buffer, as `step` does.
  func update(_ range: Range<Int>, learningRate: Double, pool: ThreadPool) -> Bool
}

extension Optimizer {
  /// Most rules know nothing of epochs.
  public func finishEpoch(pool: ThreadPool) {}
}

extension ParameterStore {
  /// Whether all gradients are finite.
  func hasFiniteGradients(_ pool: ThreadPool) -> Bool {
    isFinite(gradients, count: table.weightExtent, pool: pool)
  }
}

/// The weights that an optimizer changes, and how.
public struct UpdateTarget: Sendable {
  /// The weights and gradients.
  public let parameters: ParameterStore
  /// What trains, run by run.
  public let groups: [UpdateGroup]

  init(_ parameters: ParameterStore, _ groups: [UpdateGroup]) {
    self.parameters = parameters
    self.groups = groups
  }

  /// The tensors that train, in the order of the flat buffer.
  var tensors: [(info: ParameterInfo, update: TensorUpdate)] {
    let weights = parameters.table.entries.filter { $0.storage == .weights }
      .sorted { $0.offset < $1.offset }
    return groups.flatMap { group in
      weights.filter { group.range.contains($0.offset) }.map { info in
        let update = TensorUpdate(
          range: info.range, decays: group.decays, rateScale: group.rateScale)
        return (info, update)
      }
    }
  }
}

/// A run of the flat weight buffer that is updated in one way.
public struct UpdateGroup: Sendable, Equatable {
  /// The elements.
  public let range: Range<Int>
  /// Whether weight decay applies to them.
  public let decays: Bool
  /// What the learning rate is multiplied by.
  public var rateScale = 1.0

  /// What trains of a network, decaying tensors first.
  ///
  /// - Parameters:
  ///   - layerDecay: what the rate is multiplied by from each layer to the one before it.
  ///   - smallestScale: the least that these factors come to.
  static func all(
    of table: ParameterTable, _ freezing: Freezing, layerDecay: Double? = nil,
    smallestScale: Double = 0
  ) -> [UpdateGroup] {
    let layers = layerDecay.map { LayerScales(table, decay: $0, smallest: smallestScale) }
    return [(table.decayingRange, true), (table.plainRange, false)].flatMap { range, decays in
      freezing.trainedRanges(in: range).flatMap { trained in
        let group = UpdateGroup(range: trained, decays: decays)
        return layers?.split(group) ?? [group]
      }
    }
  }
}

/// What an optimizer remembers from step to step: numbers that belong to tensors of the network.
public final class OptimizerSlot: Sendable {
  /// The numbers that belong to one tensor.
  public struct Tensor: Sendable {
    /// The name of the network's tensor.
    let path: String
    /// The place of the first number in the slot.
    let offset: Int
    let shape: [Int]
    let timmShape: [Int]
    let layout: ParameterLayout
  }

  /// The name in checkpoints: `momentum`.
  public let name: String
  /// Whose numbers lie where.
  let tensors: [Tensor]
  /// How many numbers there are, gaps included.
  let count: Int
  private let memory: FloatMemory

  /// One number for each weight, at the same offsets, all equal before the first step.
  init(name: String, start: Float = 0, for table: ParameterTable) {
    self.name = name
    tensors = table.entries.filter { $0.storage == .weights }.map {
      Tensor(
        path: $0.path, offset: $0.offset, shape: $0.shape, timmShape: $0.timmShape,
        layout: $0.layout)
    }
    count = table.weightExtent
    memory = FloatMemory(count: count)
    if start != 0 { memory.base.update(repeating: start, count: count) }
  }

  /// Numbers of other shapes, zero before the first step, one tensor behind the other.
  init(name: String, _ shapes: [(path: String, shape: [Int])]) {
    self.name = name
    var extent = 0
    tensors = shapes.map { path, shape in
      let offset = extent
      extent = roundUp(extent + shape.reduce(1, *), to: 16)
      return Tensor(path: path, offset: offset, shape: shape, timmShape: shape, layout: .vector)
    }
    count = extent
    memory = FloatMemory(count: extent)
  }

  /// The numbers.
  var values: UnsafeMutablePointer<Float> { memory.base }
}
