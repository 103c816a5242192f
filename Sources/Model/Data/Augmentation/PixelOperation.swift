import Kernels

/// One change to a picture with everything about it decided: what Pillow's `ImageOps`, `ImageEnhance`,
/// `Image.rotate` and `Image.transform` do, byte for byte.
enum PixelOperation: Sendable, Equatable {
  case autoContrast
  case equalize
  case invert
  /// Keeps the highest bits of every byte; 8 or more keep all, 0 or fewer leave black.
  case posterize(bits: Int)
  /// Inverts the bytes from the threshold on.
  case solarize(threshold: Int)
  /// Brightens the bytes below 128.
  case solarizeAdd(Int)
  /// From gray (0) over unchanged (1) to gaudy.
  case color(Double)
  /// From the mean gray (0) over unchanged (1) to hard.
  case contrast(Double)
  /// From black (0) over unchanged (1) to bright.
  case brightness(Double)
  /// From smoothed (0) over unchanged (1) to sharpened.
  case sharpness(Double)
  /// A Gaussian blur; the radius is the standard deviation in pixels.
  case blur(radius: Double)
  /// A turn around the centre, against the clock.
  case rotate(degrees: Double, AffineFilter)
  /// A slant or a shift.
  case move(Affine, AffineFilter)

  /// Changes a picture of `height` rows of `width` RGB pixels in place.
  ///
  /// - Parameter fill: the colour of what comes in from outside of the picture.
  func apply(
    to pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int, fill: SIMD3<UInt8>,
    workspace: TransformWorkspace
  ) {
    let count = width * height
    let tables = workspace.tables
    switch self {
    case .autoContrast: tables.autoContrast(pixels, pixelCount: count)
    case .equalize: tables.equalize(pixels, pixelCount: count)
    case .invert: tables.map(pixels, pixelCount: count) { 255 - $0 }
    case .posterize(let bits):
      guard bits < 8 else { return }
      let mask = ~((1 << (8 - max(bits, 0))) - 1)
      tables.map(pixels, pixelCount: count) { $0 & mask }
    case .solarize(let threshold):
      tables.map(pixels, pixelCount: count) { $0 < threshold ? $0 : 255 - $0 }
    case .solarizeAdd(let addend):
      tables.map(pixels, pixelCount: count) { $0 < 128 ? min($0 + addend, 255) : $0 }
    case .color(let factor): adjustSaturation(pixels, pixelCount: count, factor: Float(factor))
    case .contrast(let factor): adjustContrast(pixels, pixelCount: count, factor: Float(factor))
    case .brightness(let factor):
      adjustBrightness(pixels, pixelCount: count, factor: Float(factor))
    case .sharpness(let factor):
      adjustSharpness(
        pixels, width: width, height: height, factor: Float(factor),
        scratch: workspace.scratch.reserve(3 * count))
    case .blur(let radius):
      blurGaussian(
        pixels, width: width, height: height, radius: Float(radius),
        scratch: workspace.scratch.reserve(3 * count))
    case .rotate(let degrees, let filter):
      Self.rotate(
        pixels, width, height, degrees, filter, fill: fill, workspace: workspace)
    case .move(let map, let filter):
      let source = workspace.scratch.reserve(3 * count)
      source.update(from: pixels, count: 3 * count)
      transformAffine(
        source, width: width, height: height, map: map, filter: filter, fill: fill, into: pixels)
    }
  }

  /// Pillow's `Image.rotate`, which turns by whole quarters without resampling.
  private static func rotate(
    _ pixels: UnsafeMutablePointer<UInt8>, _ width: Int, _ height: Int, _ degrees: Double,
    _ filter: AffineFilter, fill: SIMD3<UInt8>, workspace: TransformWorkspace
  ) {
    var angle = degrees.truncatingRemainder(dividingBy: 360)
    if angle < 0 { angle += 360 }
    if angle == 0 { return }
    let source = workspace.scratch.reserve(3 * width * height)
    source.update(from: pixels, count: 3 * width * height)
    let isQuarter = angle == 90 || angle == 270
    if angle == 180 || (isQuarter && width == height) {
      turnQuarters(source, width: width, height: height, quarters: Int(angle) / 90, into: pixels)
    } else {
      transformAffine(
        source, width: width, height: height,
        map: .rotation(degrees: angle, width: width, height: height), filter: filter, fill: fill,
        into: pixels)
    }
  }
}
