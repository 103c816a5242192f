import Foundation

/// A fall from the peak to the floor, once or in cycles, then the floor for the cool-down.
///
/// Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, with the
/// cycles of timm's schedulers of the same names.
public struct CyclicCurve: RateCurve {
  /// The way down within a cycle.
  public enum Form: Sendable, Equatable {
    /// Half a cosine; time is bent by an exponent (Zhang and Li, "k-decay", arXiv 2004.05909).
    case cosine(kDecay: Double)
    /// A hyperbolic tangent from -7 to 3 (Hsueh et al., "Stochastic Gradient Descent with
    /// Hyperbolic-Tangent Decay on Classification", WACV 2019).
    case tanh
    /// A power of what is left, with k-decay.
    case polynomial(power: Double, kDecay: Double)
  }

  let form: Form
  /// The rate at the end of each cycle and in the cool-down.
  let floor: Double
  /// Each cycle's length over that of the one before.
  let cycleGrowth: Double
  /// Each cycle's top over that of the one before.
  let cycleDecay: Double
  /// How many cycles there are.
  let cycleCount: Int
  /// Epochs at the floor after the last cycle.
  let cooldownEpochs: Int

  /// All cycles and the cool-down.
  public func totalEpochs(_ epochs: Int) -> Int {
    let cycles =
      cycleGrowth == 1
      ? epochs * cycleCount
      : Int(
        (-Double(epochs) * (pow(cycleGrowth, Double(cycleCount)) - 1) / (1 - cycleGrowth))
          .rounded(.down))
    return cycles + cooldownEpochs
  }

  /// timm's warm-up leads to the curve under tanh, and to the peak under the others.
  public var isMetByWarmup: Bool { form == .tanh }

  /// The rate, at the floor after the last cycle.
  public func rate(at time: CurveTime, peak: Double) -> Double {
    guard let (cycle, elapsed, length) = cycle(at: time), cycle < cycleCount else { return floor }
    let drop = peak * pow(cycleDecay, Double(cycle)) - floor
    switch form {
    case .cosine(let k):
      return floor + 0.5 * drop * (1 + cos(Double.pi * pow(elapsed, k) / pow(length, k)))
    case .tanh:
      let share = elapsed / length
      return floor + 0.5 * drop * (1 - Foundation.tanh(-7 * (1 - share) + 3 * share))
    case .polynomial(let power, let k):
      return floor + drop * pow(1 - pow(elapsed, k) / pow(length, k), power)
    }
  }

  /// The cycle at a time, the ticks since it began, its length in ticks; nil after shrinking cycles
  /// have come to their end.
  private func cycle(at time: CurveTime) -> (number: Int, elapsed: Double, length: Double)? {
    guard cycleGrowth != 1 else {
      let number = time.tick / time.duration
      return (number, Double(time.tick - number * time.duration), Double(time.duration))
    }
    let first = Double(time.duration)
    let left = 1 - Double(time.tick) / first * (1 - cycleGrowth)
    guard left > 0 else { return nil }
    let number = (log(left) / log(cycleGrowth)).rounded(.down)
    let scale = pow(cycleGrowth, number)
    let begin = (1 - scale) / (1 - cycleGrowth) * first
    return (Int(number), Double(time.tick) - begin, scale * first)
  }
}
