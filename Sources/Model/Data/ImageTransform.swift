public import Kernels

/// Names the random draws of one picture in one epoch.
///
/// All draws are functions of the three numbers, so that a picture is augmented the same way
/// whichever thread does it and wherever in the epoch a run was taken up again.
public struct SampleKey: Sendable, Equatable {
  /// The seed of the run.
  public var seed: UInt64
  /// The epoch, from 0.
  public var epoch: Int
  /// The number of the picture in its data set.
  public var index: Int
  /// Which of several versions of the picture in one batch, from 0; crop and flips are the same for
  /// all.
  public var split: Int

  /// Names a picture.
  public init(seed: UInt64, epoch: Int, index: Int, split: Int = 0) {
    self.seed = seed
    self.epoch = epoch
    self.index = index
    self.split = split
  }

  /// The groups of draws; a new augmentation gets a new group and disturbs no other.
  enum Group: UInt64 {
    case crop = 0
    case flips = 1
    case color = 2
    case shift = 3
    case policy = 4
    case chains = 5
    case erasing = 6
    case noise = 7
    case cutout = 8

    /// Whether all versions of a picture have the same draws.
    var isShared: Bool { self == .crop || self == .flips || self == .shift }
  }

  func random(_ group: Group) -> CounterRandom {
    let version = group.isShared ? 0 : UInt64(split) << 32
    return CounterRandom(
      seed: seed, stream: .augmentation,
      counters: UInt64(epoch), UInt64(index), group.rawValue | version)
  }
}

/// Turns bytes into network input: `(x - 255 mean) / (255 deviation)` per channel, red, green and blue
/// or brightness alone.
public struct PixelNormalization: Sendable, Equatable {
  /// The mean of each channel, on the scale 0...1.
  public let mean: [Double]
  /// The standard deviation of each channel, on the scale 0...1.
  public let deviation: [Double]
  let offset: SIMD3<Float>
  let divisor: SIMD3<Float>

  /// The channels of the network input: 3, or 1 for brightness.
  var channels: Int { mean.count }

  /// Three means and three deviations (which must not be zero), red first, or one of each for
  /// brightness.
  public init(mean: [Double], deviation: [Double]) {
    precondition([1, 3].contains(mean.count) && deviation.count == mean.count)
    precondition(!deviation.contains(0))
    self.mean = mean
    self.deviation = deviation
    func bytes(_ values: [Double]) -> SIMD3<Float> {
      SIMD3(
        Float(values[0] * 255), Float(values[values.count / 2] * 255),
        Float(values[values.count - 1] * 255))
    }
    offset = bytes(mean)
    divisor = bytes(deviation)
  }

  /// The statistics of ImageNet.
  public static let imageNet = PixelNormalization(
    mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225])

  /// Mean and deviation one half: bytes become -1...1.
  public static let half = PixelNormalization(mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5])

  /// The mean as a colour, for what comes in from outside of a picture.
  var meanColor: SIMD3<UInt8> {
    // Python's round: a half goes to the even neighbour.
    func byte(_ mean: Double) -> UInt8 {
      UInt8(min(max((255 * mean).rounded(.toNearestOrEven), 0), 255))
    }
    return SIMD3(byte(mean[0]), byte(mean[mean.count / 2]), byte(mean[mean.count - 1]))
  }

  /// Writes `channels * pixelCount` floats (HWC).
  func apply(
    _ pixels: UnsafePointer<UInt8>, pixelCount: Int, into output: UnsafeMutablePointer<Float>
  ) {
    guard channels == 3 else {
      return normalizeBrightness(
        pixels, pixelCount: pixelCount, offset: offset.x, divisor: divisor.x, output: output)
    }
    normalizePixels(
      pixels, pixelCount: pixelCount, offset: offset, divisor: divisor, output: output)
  }
}

/// The buffers that one thread needs to transform pictures; they grow to the largest picture.
public final class TransformWorkspace {
  let resampler = Resampler()
  let tables = PixelTables()
  /// A copy of the picture that an operation reads.
  var scratch = ByteScratch()
  /// The chains of AugMix.
  var chains = ByteScratch()
  var policyDraw = PolicyDraw()

  /// Empty buffers.
  public init() {}
}

/// Brings pictures of any size to the square that the network takes.
public protocol ImageTransform: Sendable {
  /// The side of the output in pixels.
  var size: Int { get }
  /// How the bytes become floats afterwards.
  var normalization: PixelNormalization { get }
  /// Writes `size * size` RGB pixels.
  ///
  /// - Parameters:
  ///   - image: the picture, of any size.
  ///   - key: names the random draws; a transform without any ignores it.
  ///   - workspace: the buffers of the calling thread.
  ///   - output: `3 * size * size` bytes.
  func render(
    _ image: PixelView, key: SampleKey, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>)
  /// Writes several versions of a picture: the first with crop and flips alone, the others with all
  /// augmentation (timm's `AugMixDataset`).
  ///
  /// - Parameters:
  ///   - key: names the draws; its `split` is that of the first version.
  ///   - splits: the number of versions.
  ///   - stride: the bytes from one version to the next in `output`.
  func render(
    _ image: PixelView, key: SampleKey, splits: Int, stride: Int, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>)
}

extension ImageTransform {
  /// The same picture several times, for transforms without augmentation.
  public func render(
    _ image: PixelView, key: SampleKey, splits: Int, stride: Int, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    render(image, key: key, workspace: workspace, into: output)
    for split in 1..<max(splits, 1) {
      (output + split * stride).update(from: output, count: 3 * size * size)
    }
  }

  /// The transformed picture, as bytes.
  public func callAsFunction(
    _ image: ImageRGB, key: SampleKey = SampleKey(seed: 0, epoch: 0, index: 0)
  ) -> ImageRGB {
    let workspace = TransformWorkspace()
    let pixels = [UInt8](unsafeUninitializedCapacity: 3 * size * size) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      image.withView { render($0, key: key, workspace: workspace, into: base) }
      count = 3 * size * size
    }
    return ImageRGB(width: size, height: size, pixels: pixels)
  }

  /// The transformed picture as network input, HWC.
  public func input(
    _ image: ImageRGB, key: SampleKey = SampleKey(seed: 0, epoch: 0, index: 0)
  ) -> [Float] {
    let picture = self(image, key: key)
    let floats = normalization.channels * size * size
    return [Float](unsafeUninitializedCapacity: floats) { buffer, count in
      guard let base = buffer.baseAddress else { return }
      picture.withView { normalization.apply($0.base, pixelCount: size * size, into: base) }
      count = floats
    }
  }
}
