import Foundation

/// Half a cosine from the top to the floor, then the floor for the cool-down.
///
/// Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, with one
/// cycle, stepped once an epoch as in timm's `CosineLRScheduler`.
public struct CosineSchedule: Schedule {
  /// The rate at the top.
  public let peak: Double
  /// The rate at the end and in the cool-down.
  public let floor: Double
  /// Epochs of the half cosine, warm-up included.
  public let epochs: Int
  /// Epochs at the floor after it.
  public let cooldownEpochs: Int
  /// The rise at the beginning.
  public let warmup: Warmup

  /// Creates the schedule; every epoch count may be 0 except `epochs`.
  public init(peak: Double, floor: Double, epochs: Int, cooldownEpochs: Int, warmup: Warmup) {
    precondition(epochs > 0)
    self.peak = peak
    self.floor = floor
    self.epochs = epochs
    self.cooldownEpochs = cooldownEpochs
    self.warmup = warmup
  }

  /// Cosine and cool-down together.
  public var totalEpochs: Int { epochs + cooldownEpochs }

  /// The rate, which changes from epoch to epoch.
  public func rate(at position: SchedulePosition) -> Double {
    if let rate = warmup.rate(epoch: position.epoch, peak: peak) { return rate }
    guard position.epoch < epochs else { return floor }
    let phase = Double.pi * Double(position.epoch) / Double(epochs)
    return floor + 0.5 * (peak - floor) * (1 + cos(phase))
  }
}
