/// What a model expects of its input images: the size, the way they are cut to it, and the
/// statistics that normalise them.
public struct Preprocessing: Sendable, Equatable {
  /// How an evaluation image becomes a square.
  public enum CropMode: String, Sendable, CaseIterable {
    /// The shorter edge is resized to `inputSize / cropFraction`, then the centre is cut out.
    case center
    /// The whole image is resized to `inputSize / cropFraction` in both directions, whatever its
    /// aspect, then the centre is cut out.
    case squash
  }

  /// The edge of the square training input, in pixels.
  public var inputSize: Int
  /// The edge at which the published accuracy was measured, where it differs from `inputSize`.
  public var testInputSize: Int?
  /// The share of the resized image's edge that the centre crop keeps, in 0 ... 1.
  public var cropFraction: Double
  /// The resampling filter.
  public var interpolation: Interpolation
  /// The mean of each channel (red, green, blue) in 0 ... 1 that is subtracted.
  public var mean: [Double]
  /// The standard deviation of each channel that is divided by.
  public var deviation: [Double]
  /// How an evaluation image becomes a square.
  public var cropMode: CropMode

  /// Creates the description; the statistics default to those of ImageNet.
  public init(
    inputSize: Int, testInputSize: Int? = nil, cropFraction: Double = 1,
    interpolation: Interpolation = .bicubic,
    mean: [Double] = Preprocessing.imageNetMean,
    deviation: [Double] = Preprocessing.imageNetDeviation,
    cropMode: CropMode = .center
  ) {
    self.inputSize = inputSize
    self.testInputSize = testInputSize
    self.cropFraction = cropFraction
    self.interpolation = interpolation
    self.mean = mean
    self.deviation = deviation
    self.cropMode = cropMode
  }

  /// ImageNet's channel means.
  public static let imageNetMean = [0.485, 0.456, 0.406]
  /// ImageNet's channel standard deviations.
  public static let imageNetDeviation = [0.229, 0.224, 0.225]
  /// Google's convention: 0 ... 255 becomes -1 ... 1; mean and deviation are both this.
  public static let half = [0.5, 0.5, 0.5]
}
