import Foundation

/// One rate throughout.
public struct ConstantCurve: RateCurve {
  /// The peak.
  public func rate(at time: CurveTime, peak: Double) -> Double { peak }
}

/// A factor every so many epochs, as timm's `StepLRScheduler`.
public struct StepCurve: RateCurve {
  /// Epochs from one fall to the next; need not be whole.
  let decayEpochs: Double
  /// The factor of a fall.
  let decayRate: Double

  /// The peak times the factor for each interval that has passed.
  public func rate(at time: CurveTime, peak: Double) -> Double {
    let passed = (Double(time.tick) / (decayEpochs * Double(time.ticksPerEpoch))).rounded(.down)
    return peak * pow(decayRate, passed)
  }
}

/// A factor at given epochs, as timm's `MultiStepLRScheduler`: the milestone m acts from the tick
/// before it.
public struct MultistepCurve: RateCurve {
  /// The epochs.
  let milestones: [Double]
  /// The factor of a fall.
  let decayRate: Double

  /// The peak times the factor for each milestone that has been reached.
  public func rate(at time: CurveTime, peak: Double) -> Double {
    let passed = milestones.filter {
      $0 * Double(time.ticksPerEpoch) <= Double(time.tick + 1)
    }
    return peak * pow(decayRate, Double(passed.count))
  }
}

/// Google's rule for EfficientNet: a factor every so many epochs, step by step, not below the floor.
public struct ExponentialCurve: RateCurve {
  /// Epochs from one fall to the next; need not be whole.
  let decayEpochs: Double
  /// The factor of a fall.
  let decayRate: Double
  /// The smallest rate.
  let floor: Double

  /// The peak times the factor for each interval that has passed.
  public func rate(at time: CurveTime, peak: Double) -> Double {
    let steps = StepCurve(decayEpochs: decayEpochs, decayRate: decayRate)
    return max(floor, steps.rate(at: time, peak: peak))
  }
}

/// One cycle from a 25th of the peak up to it and down to almost nothing, step by step, as PyTorch's
/// `OneCycleLR` (Smith and Topin, "Super-Convergence", arXiv 1708.07120).
public struct OneCycleCurve: RateCurve {
  /// The share of the steps in which the rate rises.
  static let riseShare = 0.3
  /// The peak over the first rate.
  static let startDivisor = 25.0
  /// The first rate over the last.
  static let endDivisor = 1e4

  /// The first rate is far below the peak.
  public var startsBelowPeak: Bool { true }

  /// Half a cosine up, another one down.
  public func rate(at time: CurveTime, peak: Double) -> Double {
    let start = peak / Self.startDivisor
    let top = Self.riseShare * Double(time.duration) - 1
    let last = Double(time.duration - 1)
    let tick = Double(time.tick)
    if tick <= top, top > 0 { return Self.ease(start, peak, tick / top) }
    return Self.ease(peak, start / Self.endDivisor, min(1, (tick - top) / (last - top)))
  }

  private static func ease(_ start: Double, _ end: Double, _ share: Double) -> Double {
    end + (start - end) / 2 * (cos(Double.pi * share) + 1)
  }
}

/// A factor whenever the watched metric has not improved for a while, as PyTorch's
/// `ReduceLROnPlateau` within timm's scheduler.
///
/// It follows from the scores of the epochs so far, which are part of the training state.
public struct PlateauCurve: RateCurve {
  /// Epochs without improvement that are borne.
  let patience: Int
  /// The factor of a fall.
  let decayRate: Double
  /// The smallest rate.
  let floor: Double
  /// Whether a smaller score is a better one.
  let isLowerBetter: Bool

  /// The relative change that counts as an improvement.
  static let threshold = 1e-4

  /// timm shakes the rate only where it follows the metric.
  public var sparesWarmup: Bool { true }

  /// The peak times the factor for each time that patience ran out.
  public func rate(at time: CurveTime, peak: Double) -> Double {
    var rate = peak
    var best: Double?
    var badEpochs = 0
    for score in time.scores {
      guard let score else { continue }
      let improves =
        best.map {
          isLowerBetter
            ? score < $0 * (1 - Self.threshold) : score > $0 * (1 + Self.threshold)
        } ?? !score.isNaN
      if improves {
        best = score
        badEpochs = 0
      } else {
        badEpochs += 1
      }
      guard badEpochs > patience else { continue }
      badEpochs = 0
      let lower = max(rate * decayRate, floor)
      if rate - lower > 1e-8 { rate = lower }
    }
    return rate
  }
}
