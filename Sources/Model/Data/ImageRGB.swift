public import Kernels

/// An 8-bit RGB picture.
public struct ImageRGB: Sendable, Equatable {
  /// Columns, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// `height` rows of `width` interleaved pixels (HWC), `3 * width * height` bytes.
  public let pixels: [UInt8]

  /// Wraps pixels, whose number must fit the size.
  public init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0 && pixels.count == 3 * width * height)
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// Lends the pixels to `body`.
  public func withView<Result>(_ body: (PixelView) throws -> Result) rethrows -> Result {
    try pixels.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("a picture has pixels") }
      return try body(PixelView(base: base, width: width, height: height))
    }
  }
}
