import Foundation
public import Kernels

/// The augmentation of timm for training: random resized crop, flips, a policy or colour jitter.
///
/// Draws for one picture, in order (`SampleKey` names them):
/// - group `crop`: up to ten tries of area, aspect ratio and, when the crop fits, top and left;
/// - group `flips`: interpolation, horizontal flip, vertical flip;
/// - group `shift`: rows and columns, of a crop out of a padded picture;
/// - groups `policy` and `chains`: see `AugmentPolicy`;
/// - group `color`: brightness, contrast, saturation, order.
///
/// All draws of a group are made whether or not they are used, so that changing one setting does
/// not change what the others do.
public struct TrainTransform: ImageTransform {
  /// The side of the output in pixels.
  public let size: Int
  /// How the bytes become floats afterwards.
  public let normalization: PixelNormalization
  /// Pixels of reflected border around the whole picture, out of which the crop is taken; nil crops
  /// before the resize, as `scale` and `ratio` say.
  public var padding: Int?
  /// The part of the picture's area that a crop covers.
  public var scale: ClosedRange<Double> = 0.08...1
  /// Width over height of a crop, before it is resized to a square.
  public var ratio: ClosedRange<Double> = 0.75...(4.0 / 3.0)
  /// The filter of the resize; nil draws one for each picture.
  public var interpolation: Interpolation?
  /// The probability of mirroring left to right.
  public var horizontalFlip = 0.5
  /// The probability of mirroring top to bottom.
  public var verticalFlip = 0.0
  /// The strength of brightness, contrast and saturation changes; 0 is none.
  public var colorJitter = 0.4
  /// What else happens to the picture; most policies take the place of the colour jitter.
  public var policy: AugmentPolicy?

  /// timm's defaults for the given output.
  public init(size: Int, normalization: PixelNormalization) {
    precondition(size > 0)
    self.size = size
    self.normalization = normalization
  }

  /// What was drawn for one picture.
  public struct Draw: Sendable, Equatable {
    /// The crop in the source: left, top, width and height in pixels.
    public var x, y, width, height: Int
    /// The filter of the resize.
    public var interpolation: Interpolation
    /// Whether the picture is mirrored left to right.
    public var flipsHorizontally: Bool
    /// Whether the picture is mirrored top to bottom.
    public var flipsVertically: Bool
    /// The colour changes; nil is none.
    public var color: ColorJitter?
    /// How far the picture is moved to the left within its reflected border, in pixels.
    public var shiftX = 0
    /// How far the picture is moved up within its reflected border, in pixels.
    public var shiftY = 0
  }

  /// Draws everything for one picture of the given size.
  public func draw(width: Int, height: Int, key: SampleKey) -> Draw {
    var crop = (x: 0, y: 0, width: width, height: height)
    if padding == nil { crop = drawCrop(width: width, height: height, key: key) }
    var random = key.random(.flips)
    let drawn: Interpolation = random.integer(below: 2) == 0 ? .bilinear : .bicubic
    let horizontal = random.uniform() < horizontalFlip
    let vertical = random.uniform() < verticalFlip
    var draw = Draw(
      x: crop.x, y: crop.y, width: crop.width, height: crop.height,
      interpolation: interpolation ?? drawn, flipsHorizontally: horizontal,
      flipsVertically: vertical, color: drawColor(key))
    // A reflection has one pixel less than the picture.
    if let padding = padding.map({ min($0, size - 1) }) {
      var random = key.random(.shift)
      draw.shiftY = random.integer(below: 2 * padding + 1) - padding
      draw.shiftX = random.integer(below: 2 * padding + 1) - padding
    }
    return draw
  }

  private func drawColor(_ key: SampleKey) -> ColorJitter? {
    guard colorJitter > 0 && policy?.keepsColorJitter != false else { return nil }
    var random = key.random(.color)
    return ColorJitter(strength: colorJitter, random: &random)
  }

  /// The crop of timm's `RandomResizedCropAndInterpolation`: ten tries, then the centre.
  private func drawCrop(width: Int, height: Int, key: SampleKey)
    -> (x: Int, y: Int, width: Int, height: Int)
  {
    var random = key.random(.crop)
    let area = Double(width * height)
    let logRatio = (low: log(ratio.lowerBound), high: log(ratio.upperBound))
    for _ in 0..<10 {
      let target = random.uniform(scale.lowerBound, scale.upperBound) * area
      let aspect = exp(random.uniform(logRatio.low, logRatio.high))
      let w = Self.rounded((target * aspect).squareRoot())
      let h = Self.rounded((target / aspect).squareRoot())
      // Pictures of very few pixels can ask for an empty crop, which timm fails on.
      if w >= 1 && h >= 1 && w <= width && h <= height {
        let y = random.integer(below: height - h + 1)
        let x = random.integer(below: width - w + 1)
        return (x, y, w, h)
      }
    }
    let aspect = Double(width) / Double(height)
    var w = width
    var h = height
    if aspect < ratio.lowerBound {
      h = min(max(Self.rounded(Double(width) / ratio.lowerBound), 1), height)
    } else if aspect > ratio.upperBound {
      w = min(max(Self.rounded(Double(height) * ratio.upperBound), 1), width)
    }
    return ((width - w) / 2, (height - h) / 2, w, h)
  }

  /// Python's `round`, for values that may be too large for an edge.
  private static func rounded(_ value: Double) -> Int {
    value < 1e9 ? Int(value.rounded(.toNearestOrEven)) : .max
  }

  /// Writes the augmented picture.
  public func render(
    _ image: PixelView, key: SampleKey, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    let draw = draw(width: image.width, height: image.height, key: key)
    renderBase(image, draw: draw, workspace: workspace, into: output)
    augment(output, key: key, color: draw.color, workspace: workspace)
  }

  /// Writes several versions, the first of them with crop and flips alone.
  public func render(
    _ image: PixelView, key: SampleKey, splits: Int, stride: Int, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    let draw = draw(width: image.width, height: image.height, key: key)
    renderBase(image, draw: draw, workspace: workspace, into: output)
    var key = key
    for split in 1..<max(splits, 1) {
      let version = output + split * stride
      version.update(from: output, count: 3 * size * size)
      key.split = split
      augment(version, key: key, color: drawColor(key), workspace: workspace)
    }
  }

  /// Writes crop, resize and flips.
  private func renderBase(
    _ image: PixelView, draw: Draw, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    let isMoved = draw.shiftX != 0 || draw.shiftY != 0
    let resized = isMoved ? workspace.scratch.reserve(3 * size * size) : output
    workspace.resampler.resize(
      image.cropped(x: draw.x, y: draw.y, width: draw.width, height: draw.height),
      width: size, height: size, filter: draw.interpolation.filter, into: resized)
    if isMoved {
      shiftReflecting(
        resized, width: size, height: size, x: draw.shiftX, y: draw.shiftY, into: output)
    }
    if draw.flipsHorizontally { Kernels.flipHorizontally(output, width: size, height: size) }
    if draw.flipsVertically { Kernels.flipVertically(output, width: size, height: size) }
  }

  /// Applies policy and colour changes.
  private func augment(
    _ pixels: UnsafeMutablePointer<UInt8>, key: SampleKey, color: ColorJitter?,
    workspace: TransformWorkspace
  ) {
    if let policy {
      policy.draw(key, setting, into: &workspace.policyDraw)
      policy.apply(
        workspace.policyDraw, to: pixels, size: size, fill: normalization.meanColor,
        workspace: workspace)
    }
    color?.apply(to: pixels, pixelCount: size * size)
  }

  private var setting: OperationSetting {
    OperationSetting(
      size: size, filter: interpolation.flatMap { AffineFilter(rawValue: $0.rawValue) })
  }
}

/// Brightness, contrast and saturation changes in a random order, as torchvision's `ColorJitter`
/// on Pillow pictures.
public struct ColorJitter: Sendable, Equatable {
  /// One change.
  public enum Operation: String, Sendable {
    case brightness
    case contrast
    case saturation
  }

  /// The factors, 1 for no change.
  public var brightness, contrast, saturation: Float
  /// The order of the three: an index into `orders`.
  public var order: Int

  /// The six orders.
  public static let orders: [[Operation]] = [
    [.brightness, .contrast, .saturation], [.brightness, .saturation, .contrast],
    [.contrast, .brightness, .saturation], [.contrast, .saturation, .brightness],
    [.saturation, .brightness, .contrast], [.saturation, .contrast, .brightness],
  ]

  /// Given changes; `order` is an index into `orders`.
  public init(brightness: Float, contrast: Float, saturation: Float, order: Int) {
    precondition(Self.orders.indices.contains(order))
    self.brightness = brightness
    self.contrast = contrast
    self.saturation = saturation
    self.order = order
  }

  /// Draws three factors from `max(0, 1 - strength)...1 + strength`, then an order.
  init(strength: Double, random: inout CounterRandom) {
    let low = max(0, 1 - strength)
    let high = 1 + strength
    brightness = Float(random.uniform(low, high))
    contrast = Float(random.uniform(low, high))
    saturation = Float(random.uniform(low, high))
    order = random.integer(below: Self.orders.count)
  }

  /// Changes RGB pixels in place.
  func apply(to pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int) {
    for operation in Self.orders[order] {
      switch operation {
      case .brightness: adjustBrightness(pixels, pixelCount: pixelCount, factor: brightness)
      case .contrast: adjustContrast(pixels, pixelCount: pixelCount, factor: contrast)
      case .saturation: adjustSaturation(pixels, pixelCount: pixelCount, factor: saturation)
      }
    }
  }
}
