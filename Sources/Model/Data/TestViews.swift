import Kernels

/// Where in a resized picture a crop lies.
struct CropPlace: Sendable, Equatable {
  enum Side: Sendable {
    case start, middle, end
    /// Where the middle of the mirrored picture lies: half a pixel can make a difference.
    case mirroredMiddle
  }
  let horizontal: Side
  let vertical: Side

  static let center = CropPlace(horizontal: .middle, vertical: .middle)

  /// The corners and the centre, in the order of torchvision's `FiveCrop`: top left, top right,
  /// bottom left, bottom right, centre.
  static let five = [
    CropPlace(horizontal: .start, vertical: .start), CropPlace(horizontal: .end, vertical: .start),
    CropPlace(horizontal: .start, vertical: .end), CropPlace(horizontal: .end, vertical: .end),
    .center,
  ]

  /// The same place of the mirrored picture, where it lies in the picture itself.
  var mirrored: CropPlace {
    let side: Side =
      switch horizontal {
      case .start: .end
      case .end: .start
      case .middle: .mirroredMiddle
      case .mirroredMiddle: .middle
      }
    return CropPlace(horizontal: side, vertical: vertical)
  }
}

/// The views of a test picture whose probabilities are averaged (test-time augmentation).
public enum TestViews: String, Sendable, CaseIterable {
  /// The centre crop alone.
  case none
  /// The centre crop and its mirror image.
  case flip
  /// The four corners and the centre, as torchvision's `FiveCrop`.
  case fiveCrop = "5crop"
  /// The five crops of the picture and those of its mirror image, as torchvision's `TenCrop`.
  case tenCrop = "10crop"

  /// Where each view lies, and whether it is mirrored afterwards.
  var views: [(place: CropPlace, isMirrored: Bool)] {
    switch self {
    case .none: [(.center, false)]
    case .flip: [(.center, false), (.center, true)]
    case .fiveCrop: CropPlace.five.map { ($0, false) }
    case .tenCrop: CropPlace.five.map { ($0, false) } + CropPlace.five.map { ($0.mirrored, true) }
    }
  }

  /// How many views a picture has.
  public var count: Int { views.count }
}

/// Renders the view of a picture that the number of the sample asks for: sample `n` is view
/// `n % count`.
struct ViewTransform: ImageTransform {
  let base: EvalTransform
  let views: TestViews

  var size: Int { base.size }
  var normalization: PixelNormalization { base.normalization }

  func render(
    _ image: PixelView, key: SampleKey, workspace: TransformWorkspace,
    into output: UnsafeMutablePointer<UInt8>
  ) {
    let view = views.views[key.index % views.count]
    base.render(image, at: view.place, workspace: workspace, into: output)
    guard view.isMirrored else { return }
    for row in 0..<size {
      for column in 0..<(size / 2) {
        for channel in 0..<3 {
          let left = 3 * (row * size + column) + channel
          let right = 3 * (row * size + size - 1 - column) + channel
          (output[left], output[right]) = (output[right], output[left])
        }
      }
    }
  }
}

/// A data set that has every picture once for each of its views: sample `n` is of picture
/// `n / views`.
final class ViewedDataset: Dataset {
  private let base: any Dataset
  private let views: Int

  init(_ base: any Dataset, views: Int) {
    self.base = base
    self.views = views
  }

  var name: String { base.name }
  var classNames: [String] { base.classNames }
  var count: Int { base.count * views }
  func label(_ index: Int) -> Int { base.label(index / views) }
  func image(_ index: Int) throws -> ImageRGB { try base.image(index / views) }
  func withPixels(_ index: Int, _ body: (PixelView) -> Void) throws {
    try base.withPixels(index / views, body)
  }
}
