import Foundation
public import Kernels

/// The preprocessing of timm for evaluation: resize, centre crop.
public struct EvalTransform: ImageTransform {
  /// How a picture that is not square becomes square.
  public typealias CropMode = Preprocessing.CropMode

  /// The side of the output in pixels.
  public let size: Int
  /// The part of the resized picture's shorter edge that is kept (timm's `crop_pct`).
  public let cropFraction: Double
  /// The filter of the resize.
  public let interpolation: Interpolation
  /// How the bytes become floats afterwards.
  public let normalization: PixelNormalization
  /// How a picture that is not square becomes square.
  public let cropMode: CropMode

  /// Describes the preprocessing; `size` and `cropFraction` are positive.
  public init(
    size: Int, cropFraction: Double, interpolation: Interpolation,
    normalization: PixelNormalization, cropMode: CropMode = .center
  ) {
    precondition(size > 0 && cropFraction > 0)
    self.size = size
    self.cropFraction = cropFraction
    self.interpolation = interpolation
    self.normalization = normalization
    self.cropMode = cropMode
  }

  /// The training transform of timm's `--no-aug`: both edges resized to `size`, no draws.
  public static func withoutAugmentation(
    size: Int, interpolation: Interpolation, normalization: PixelNormalization
  ) -> EvalTransform {
    EvalTransform(
      size: size, cropFraction: 1, interpolation: interpolation, normalization: normalization,
      cropMode: .squash)
  }

  /// The size that a picture is resized to before the crop.
  func resizedSize(width: Int, height: Int) -> (width: Int, height: Int) {
    let edge = max(Int((Double(size) / cropFraction).rounded(.down)), 1)
    guard cropMode == .center else { return (edge, edge) }
    // torchvision: the shorter edge gets the target, the longer one int(target * long / short).
    let long = Int(Double(edge * max(width, height)) / Double(min(width, height)))
    return width <= height ? (edge, long) : (long, edge)
  }

  /// Writes the centre of the resized picture; the key is not used.
  ///
  /// Where the resized picture is smaller than the output (a crop fraction above 1), the border is
  /// black, as in torchvision.
  public func render(
    _ image: PixelView, key: SampleKey, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    render(image, at: .center, workspace: workspace, into: output)
  }

  /// Writes the part of the resized picture that lies at one place of it.
  func render(
    _ image: PixelView, at place: CropPlace, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    let (width, height) = resizedSize(width: image.width, height: image.height)
    let columns = window(of: width, place.horizontal)
    let rows = window(of: height, place.vertical)
    if columns.source.count < size || rows.source.count < size {
      output.update(repeating: 0, count: 3 * size * size)
    }
    workspace.resampler.resize(
      image, width: width, height: height, filter: interpolation.filter,
      columns: columns.source, rows: rows.source,
      into: output + 3 * (rows.border * size + columns.border), outputRowBytes: 3 * size)
  }

  /// The part of a resized edge that is kept, and where it starts in the output.
  private func window(
    of edge: Int, _ side: CropPlace.Side
  ) -> (source: Range<Int>, border: Int) {
    if edge < size { return (0..<edge, (size - edge) / 2) }
    let room = edge - size
    // Python's round: a half goes to the even neighbour.
    let middle = Int((Double(room) / 2).rounded(.toNearestOrEven))
    let start =
      switch side {
      case .start: 0
      case .middle: middle
      case .mirroredMiddle: room - middle
      case .end: room
      }
    return (start..<(start + size), 0)
  }
}
