import Foundation

/// Random changes of the rate within a part of training, the same as timm's for the same seed.
///
/// Each tick has a generator of its own, so that the noise does not depend on where training was
/// resumed.
public struct RateNoise: Sendable {
  /// Where it begins and ends, in shares of the curve; without an end it never does.
  let start: Double
  let end: Double?
  /// The largest share of the rate that is added or taken.
  let limit: Double
  /// The standard deviation before the limit.
  let deviation: Double
  let seed: UInt64

  /// The share of the rate to add at a tick of a curve of so many ticks.
  func value(at tick: Int, of duration: Int) -> Double {
    let position = Double(tick)
    guard position >= start * Double(duration),
      end.map({ position < $0 * Double(duration) }) ?? true
    else { return 0 }
    var generator = TorchGenerator(seed: seed &+ UInt64(tick))
    while true {
      let noise = Double(Float(generator.normal())) * deviation
      if abs(noise) < limit { return noise }
    }
  }
}

/// PyTorch's random numbers on the CPU: a Mersenne Twister (Matsumoto and Nishimura, ACM TOMACS
/// 1998) with Box and Muller's normal numbers, for the few draws that must equal PyTorch's.
struct TorchGenerator {
  private var words: [UInt32]
  private var next = 624
  private var spare: Double?

  init(seed: UInt64) {
    words = [UInt32(truncatingIfNeeded: seed)]
    for index in 1..<624 {
      let last = words[index - 1]
      words.append(1_812_433_253 &* (last ^ (last >> 30)) &+ UInt32(index))
    }
  }

  /// A normal number with mean 0 and deviation 1.
  mutating func normal() -> Double {
    if let spare {
      self.spare = nil
      return spare
    }
    let first = uniform()
    let second = uniform()
    let radius = (-2 * log1p(-second)).squareRoot()
    let angle = 2 * Double.pi * first
    spare = radius * sin(angle)
    return radius * cos(angle)
  }

  /// A uniform number in [0, 1) with 53 random bits.
  private mutating func uniform() -> Double {
    let high = UInt64(word())
    let low = UInt64(word())
    return Double((high << 32 | low) & (1 << 53 - 1)) * 0x1p-53
  }

  private mutating func word() -> UInt32 {
    if next == 624 { twist() }
    var y = words[next]
    next += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C_5680
    y ^= (y << 15) & 0xEFC6_0000
    return y ^ (y >> 18)
  }

  private mutating func twist() {
    for index in 0..<624 {
      let y = (words[index] & 0x8000_0000) | (words[(index + 1) % 624] & 0x7FFF_FFFF)
      words[index] = words[(index + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
    }
    next = 0
  }
}
