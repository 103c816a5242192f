import Kernels

/// How a picture is resized: Pillow's antialiased filters.
public enum Interpolation: String, Sendable, CaseIterable {
  /// The triangle filter.
  case bilinear
  /// The cubic filter with a = -0.5.
  case bicubic

  var filter: ResampleFilter {
    switch self {
    case .bilinear: .bilinear
    case .bicubic: .bicubic
    }
  }
}
