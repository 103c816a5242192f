/// A borrowed 8-bit RGB picture: rows of interleaved pixels in somebody else's memory.
///
/// A view is made for one call and must not outlive the memory behind it.
public struct PixelView {
  /// The first byte of the top left pixel.
  public let base: UnsafePointer<UInt8>
  /// Columns, at least 1.
  public let width: Int
  /// Rows, at least 1.
  public let height: Int
  /// Bytes from one row to the next, at least `3 * width`.
  public let rowBytes: Int

  /// Describes a picture; `rowBytes` nil means that the rows follow each other without a gap.
  public init(base: UnsafePointer<UInt8>, width: Int, height: Int, rowBytes: Int? = nil) {
    let stride = rowBytes ?? 3 * width
    precondition(width > 0 && height > 0 && stride >= 3 * width, "a picture has pixels")
    self.base = base
    self.width = width
    self.height = height
    self.rowBytes = stride
  }

  /// The part of the picture with the top left corner (x, y).
  public func cropped(x: Int, y: Int, width: Int, height: Int) -> PixelView {
    precondition(x >= 0 && y >= 0 && x + width <= self.width && y + height <= self.height)
    return PixelView(
      base: base + (y * rowBytes + 3 * x), width: width, height: height, rowBytes: rowBytes)
  }
}
