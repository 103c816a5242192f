internal import Kernels

/// Which draws of a step's random numbers are meant: the same key gives the same numbers, whatever
/// was computed before.
public struct StepKey: Sendable, Hashable {
  /// The seed of the whole training.
  public var seed: UInt64
  /// The epoch, from 0.
  public var epoch: Int
  /// The step within the epoch.
  public var step: Int

  /// Creates the key of one step.
  public init(seed: UInt64 = 0, epoch: Int = 0, step: Int = 0) {
    self.seed = seed
    self.epoch = epoch
    self.step = step
  }
}

/// Dropout of pooled features: each is zeroed with probability `rate`, the others are scaled up
/// (Srivastava et al., JMLR 2014). A pure function of the key, the sample and the feature.
struct Dropout {
  let rate: Double
  let key: StepKey

  /// mask [samples, features] = 0 or 1 / (1 - rate).
  func drawMask(
    _ mask: UnsafeMutablePointer<Float>, samples: Int, features: Int, pool: ThreadPool
  ) {
    let kept = Float(1 / (1 - rate))
    pool.run(samples) { sample in
      var random = CounterRandom(
        seed: key.seed, stream: .dropout, counters: UInt64(key.epoch), UInt64(key.step),
        UInt64(sample))
      let row = mask + sample * features
      for feature in 0..<features { row[feature] = random.uniform() < rate ? 0 : kept }
    }
  }

  /// values *= mask, for the features and for their gradients alike.
  static func apply(
    _ mask: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>, count: Int
  ) {
    for index in 0..<count { values[index] *= mask[index] }
  }
}
