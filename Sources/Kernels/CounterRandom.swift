/// A counter-based random generator: every draw is a pure function of the key and its position.
///
/// The key is a seed, a stream (what the numbers are for) and any number of counters (epoch,
/// sample, ...), so that a sample's augmentation does not depend on who computes it or when.
/// The mixing function is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", OOPSLA 2014).
public struct CounterRandom: RandomNumberGenerator, Sendable {
  /// What a sequence of draws is used for; two streams never share numbers.
  public enum Stream: UInt64, Sendable {
    case initialization = 1
    case shuffle = 2
    case augmentation = 3
    case dropout = 4
    case mixup = 5
    case schedule = 6
    case diagnostics = 7
    case split = 8
    case dropPath = 9
    case stages = 10
  }

  private var state: UInt64

  /// Creates the generator for one key.
  public init(seed: UInt64, stream: Stream, counters: UInt64...) {
    var key = Self.mix(seed &+ Self.increment)
    key = Self.mix(key ^ (stream.rawValue &* 0xD1B5_4A32_D192_ED03))
    for counter in counters { key = Self.mix((key &+ Self.increment) ^ Self.mix(counter)) }
    state = key
  }

  /// The next 64 uniform bits.
  public mutating func next() -> UInt64 {
    state &+= Self.increment
    return Self.mix(state)
  }

  /// A uniform number in [0, 1) with 53 random bits.
  public mutating func uniform() -> Double {
    Double(next() >> 11) * 0x1p-53
  }

  /// A uniform number in [low, high).
  public mutating func uniform(_ low: Double, _ high: Double) -> Double {
    low + (high - low) * uniform()
  }

  /// A uniform integer in 0 ..< bound.
  public mutating func integer(below bound: Int) -> Int {
    Int(truncatingIfNeeded: UInt64(bound).multipliedFullWidth(by: next()).high)
  }

  private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
