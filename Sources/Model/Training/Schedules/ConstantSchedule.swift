/// One rate from the end of the warm-up to the end of training; nothing is added to the epochs.
public struct ConstantSchedule: Schedule {
  /// The rate.
  public let peak: Double
  /// Epochs of training, warm-up included.
  public let epochs: Int
  /// The rise at the beginning.
  public let warmup: Warmup

  /// Creates the schedule.
  public init(peak: Double, epochs: Int, warmup: Warmup) {
    precondition(epochs > 0)
    self.peak = peak
    self.epochs = epochs
    self.warmup = warmup
  }

  /// The epochs alone.
  public var totalEpochs: Int { epochs }

  /// The rate, which changes during the warm-up alone.
  public func rate(at position: SchedulePosition) -> Double {
    warmup.rate(epoch: position.epoch, peak: peak) ?? peak
  }
}
