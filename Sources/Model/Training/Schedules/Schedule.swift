/// Where training stands, as far as a learning rate may depend on it.
public struct SchedulePosition: Sendable, Equatable {
  /// The epoch, counted from 0.
  public let epoch: Int
  /// The step within the epoch, counted from 0.
  public let step: Int
  /// Steps in the epoch.
  public let stepsPerEpoch: Int
  /// What the epochs before this one scored, for rules that watch a metric; nil where none was
  /// evaluated.
  public let scores: [Double?]

  /// Creates a position; the beginning of the epoch unless a step is given.
  public init(epoch: Int, step: Int = 0, stepsPerEpoch: Int = 1, scores: [Double?] = []) {
    self.epoch = epoch
    self.step = step
    self.stepsPerEpoch = stepsPerEpoch
    self.scores = scores
  }
}

/// The learning rate over a training: a pure function of the position, so that resuming needs no
/// state.
///
/// Time is counted in ticks, as in timm's schedulers: in epochs, or in steps when the rate moves with
/// every step; then each duration is so many epochs times the steps of an epoch.
public struct Schedule: Sendable {
  /// How the rate falls.
  public let curve: any RateCurve
  /// The rate at the top.
  public let peak: Double
  /// The rise at the beginning.
  public let warmup: Warmup
  /// What shakes the rate; nil for nothing.
  public let noise: RateNoise?
  /// Whether the rate moves with every step instead of every epoch.
  public let isPerStep: Bool
  /// Epochs of the curve itself, as the user asked for.
  public let epochs: Int

  /// How many epochs training lasts, with further cycles, the cool-down and a warm-up in front.
  public var totalEpochs: Int {
    curve.totalEpochs(epochs) + (warmup.isInFront ? warmup.epochs : 0)
  }

  /// The learning rate at a position.
  public func rate(at position: SchedulePosition) -> Double {
    let ticksPerEpoch = isPerStep ? position.stepsPerEpoch : 1
    let tick = isPerStep ? position.epoch * position.stepsPerEpoch + position.step : position.epoch
    let rate = plainRate(tick, ticksPerEpoch, position.scores)
    // timm sets the first rate when the scheduler is made, before there is any noise.
    let quiet = curve.sparesWarmup ? warmup.epochs * ticksPerEpoch : 0
    guard tick > quiet, let noise else { return rate }
    return rate + rate * noise.value(at: tick, of: epochs * ticksPerEpoch)
  }

  private func plainRate(_ tick: Int, _ ticksPerEpoch: Int, _ scores: [Double?]) -> Double {
    let rise = warmup.epochs * ticksPerEpoch
    func curveRate(_ tick: Int) -> Double {
      curve.rate(
        at: CurveTime(
          tick: tick, ticksPerEpoch: ticksPerEpoch, epochs: epochs,
          scores: Array(scores.dropFirst(warmup.epochs))), peak: peak)
    }
    if tick < rise {
      let top = warmup.isInFront || !curve.isMetByWarmup ? peak : curveRate(rise)
      return warmup.start + Double(tick) * ((top - warmup.start) / Double(rise))
    }
    if tick == 0 && !curve.startsBelowPeak { return peak }
    return curveRate(warmup.isInFront ? tick - rise : tick)
  }

  /// Rates from the beginning to the end for a plot before training: one an epoch, or several where
  /// the rate moves within an epoch.
  public var preview: [(epoch: Double, rate: Double)] {
    let steps = isPerStep ? max(1, (600 + totalEpochs - 1) / totalEpochs) : 1
    return (0..<totalEpochs * steps).map { tick in
      let position = SchedulePosition(
        epoch: tick / steps, step: tick % steps, stepsPerEpoch: steps)
      return (Double(tick) / Double(steps), rate(at: position))
    }
  }
}

/// The linear rise at the beginning of training, the same before every curve.
public struct Warmup: Sendable, Equatable {
  /// Epochs of the rise; 0 for none.
  public let epochs: Int
  /// The rate of the first tick.
  public let start: Double
  /// Whether the rise comes before the curve and adds to the epochs, as timm's `warmup_prefix`;
  /// otherwise it covers the curve's first epochs, and the curve goes on from where it would be.
  public let isInFront: Bool
}

/// The point at which a curve is asked for its rate.
public struct CurveTime: Sendable {
  /// Ticks since the curve began.
  let tick: Int
  /// Ticks in an epoch: 1, or its steps.
  let ticksPerEpoch: Int
  /// Epochs of the curve.
  let epochs: Int
  /// What the epochs scored since the warm-up ended.
  let scores: [Double?]

  /// Ticks of the whole curve.
  var duration: Int { epochs * ticksPerEpoch }
}

/// A rule by which the rate leaves its peak.
public protocol RateCurve: Sendable {
  /// The rate at a time.
  func rate(at time: CurveTime, peak: Double) -> Double
  /// How many epochs a curve of so many epochs takes, with further cycles and the cool-down.
  func totalEpochs(_ epochs: Int) -> Int
  /// Whether the warm-up rises to where the curve stands by then, instead of to the peak.
  var isMetByWarmup: Bool { get }
  /// Whether noise leaves the warm-up and the first tick behind it alone.
  var sparesWarmup: Bool { get }
  /// Whether the very first rate is the curve's own even though it is not the peak.
  var startsBelowPeak: Bool { get }
}

extension RateCurve {
  /// Nothing is added.
  public func totalEpochs(_ epochs: Int) -> Int { epochs }
  /// The warm-up rises to the peak.
  public var isMetByWarmup: Bool { false }
  /// Noise shakes the warm-up too.
  public var sparesWarmup: Bool { false }
  /// The curve starts at the peak.
  public var startsBelowPeak: Bool { false }
}

/// The rules that the key `sched` can name.
public enum ScheduleRule: String, Sendable, CaseIterable {
  case cosine, tanh, poly, step, multistep, plateau, exponential, onecycle, constant

  /// Whether it comes in cycles with a cool-down at min-lr after them.
  var isCyclic: Bool { [.cosine, .tanh, .poly].contains(self) }
  /// Whether it moves with every step whatever `sched-on-updates` says.
  var isAlwaysPerStep: Bool { [.exponential, .onecycle].contains(self) }
}
