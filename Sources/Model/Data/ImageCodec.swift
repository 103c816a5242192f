/// Reads and writes picture files.
public enum ImageCodec {
  /// The largest picture that is decoded.
  public static let maximumPixels = 256 << 20
}
