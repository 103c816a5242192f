import Kernels

/// The pictures of one training batch as the network would be shown them, turned back into bytes for
/// people to look at. It changes nothing.
public enum BatchPreview {
  /// One image of a batch.
  public struct Picture: Sendable, Equatable {
    /// What the network sees: augmented, mixed, erased.
    public let image: ImageRGB
    /// The first class that it shows.
    public let label: Int
    /// How much of it is that class, from 0 to 1; the rest is `partner`.
    public let share: Double
    /// The second class that it shows, which counts where `share` is less than 1.
    public let partner: Int
  }

  /// Makes the batch that a training with these settings takes.
  ///
  /// - Parameters:
  ///   - data: the pictures to learn from.
  ///   - epoch: the epoch, from 0.
  ///   - batch: the batch of the epoch, from 0.
  /// - Returns: the pictures in the order of the batch; none if the epoch has no such batch.
  /// - Throws: `HyperparameterError` when a batch cannot be filled, and what a picture that cannot
  ///   be read throws.
  public static func pictures(
    of data: any Dataset, settings: Hyperparameters, epoch: Int, batch: Int
  ) throws -> [Picture] {
    try settings.checkBatches(images: data.count)
    let stage = settings.progression.stage(
      epoch: epoch, step: batch / settings.optimizer.accumulation)
    let loader = BatchLoader(
      dataset: data, recipes: settings.recipes(epoch: epoch), batchSize: stage.batchSize,
      seed: settings.seed, epoch: epoch, startBatch: batch, shuffle: true,
      sampler: settings.sampler, dropLast: true)
    defer { loader.close() }
    let values = 3 * stage.inputSize * stage.inputSize
    let input = FloatMemory(count: stage.rows * values)
    let targets = BatchTargets(capacity: stage.rows)
    guard try loader.next(into: input.base, targets: targets) > 0 else { return [] }
    let normalization = settings.preprocessing.normalization
    return (0..<stage.rows).map { row in
      Picture(
        image: normalization.image(input.base + row * values, size: stage.inputSize),
        label: Int(targets.labels[row]), share: Double(targets.shares[row]),
        partner: Int(targets.partners[row]))
    }
  }
}

extension PixelNormalization {
  /// The picture that normalised floats stand for; what lies beyond black and white is cut off.
  func image(_ values: UnsafePointer<Float>, size: Int) -> ImageRGB {
    let pixels = (0..<3 * size * size).map { index -> UInt8 in
      let channel = index % 3
      let byte = values[index] * divisor[channel] + offset[channel]
      return UInt8(min(max(byte, 0), 255).rounded())
    }
    return ImageRGB(width: size, height: size, pixels: pixels)
  }
}
