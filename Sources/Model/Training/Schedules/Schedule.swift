/// Where training stands, as far as a learning rate may depend on it.
public struct SchedulePosition: Sendable, Equatable {
  /// The epoch, counted from 0.
  public let epoch: Int
  /// The step within the epoch, counted from 0.
  public let step: Int
  /// Steps in an epoch.
  public let stepsPerEpoch: Int

  /// Creates a position; the beginning of the epoch unless a step is given.
  public init(epoch: Int, step: Int = 0, stepsPerEpoch: Int = 1) {
    self.epoch = epoch
    self.step = step
    self.stepsPerEpoch = stepsPerEpoch
  }
}

/// A rule for the learning rate: a pure function of the position, so that resuming needs no state.
public protocol Schedule: Sendable {
  /// The learning rate at a position.
  func rate(at position: SchedulePosition) -> Double
  /// How many epochs training lasts, cool-down included.
  var totalEpochs: Int { get }
}

extension Schedule {
  /// The rate of every epoch's first step, for a plot before training.
  public var preview: [Double] {
    (0..<totalEpochs).map { rate(at: SchedulePosition(epoch: $0)) }
  }
}

/// The rules that the key `sched` can name.
public enum ScheduleRule: String, Sendable, CaseIterable {
  case cosine, constant
}

/// The linear rise at the beginning of training, the same in front of every rule.
///
/// As in timm without its `warmup_prefix`: the rise covers the first epochs of the rule, which goes
/// on from where it would be by then.
public struct Warmup: Sendable, Equatable {
  /// Epochs of the rise; 0 for none.
  public let epochs: Int
  /// The rate of epoch 0.
  public let start: Double

  /// The rate in an epoch of the rise, which ends at `peak`; nil after it.
  func rate(epoch: Int, peak: Double) -> Double? {
    guard epoch < epochs else { return nil }
    return start + Double(epoch) * ((peak - start) / Double(epochs))
  }
}
