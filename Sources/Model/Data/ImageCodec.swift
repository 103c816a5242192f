import CImageCodecs
public import Foundation

/// Reads and writes picture files.
///
/// Decoded pixels are those of Pillow's `Image.open(...).convert("RGB")`: alpha is dropped, palette
/// and gray become colours, CMYK is taken as Adobe's programs write it. Two things differ because
/// they are what the picture shows: it is turned as its EXIF orientation says, and 16-bit gray
/// is scaled to 8 bits (Pillow clips it to white).
public enum ImageCodec {
  /// The largest picture that is decoded, in pixels.
  public static let maximumPixels = 256 << 20

  /// The kinds of files.
  public enum Format: String, Sendable {
    case jpeg = "JPEG"
    case png = "PNG"
  }

  /// Tells the kind of a file by its first bytes; nil for anything else.
  public static func format(of bytes: [UInt8]) -> Format? {
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
    return nil
  }

  /// Decodes a JPEG or PNG file.
  ///
  /// - Throws: `DataError.unreadable`, `.emptyFile` or `.image`.
  public static func decode(contentsOf file: URL) throws -> ImageRGB {
    try decode(readWhole(file), name: file.path)
  }

  /// Decodes a JPEG or PNG in memory; `name` is what errors call it.
  ///
  /// - Throws: `DataError.emptyFile` or `.image`.
  public static func decode(_ bytes: [UInt8], name: String) throws -> ImageRGB {
    if bytes.isEmpty { throw DataError.emptyFile(file: name) }
    guard let format = format(of: bytes) else {
      throw DataError.image(file: name, problem: .unknownFormat)
    }
    var result = codec_result()
    switch format {
    case .jpeg: codec_decode_jpeg(bytes, bytes.count, UInt64(maximumPixels), &result)
    case .png: codec_decode_png(bytes, bytes.count, UInt64(maximumPixels), &result)
    }
    defer { codec_free(&result) }
    if let problem = problem(of: result, format: format) {
      throw DataError.image(file: name, problem: problem)
    }
    let image = ImageRGB(
      width: Int(result.width), height: Int(result.height),
      pixels: Array(UnsafeBufferPointer(start: result.bytes, count: result.size)))
    guard let orientation = ExifOrientation(of: bytes, format) else { return image }
    return orientation.upright(image)
  }

  /// Encodes a picture as PNG.
  ///
  /// - Throws: `DataError.image` when memory does not suffice.
  public static func encodePNG(_ image: ImageRGB) throws -> [UInt8] {
    var result = codec_result()
    codec_encode_png(image.pixels, UInt32(image.width), UInt32(image.height), &result)
    defer { codec_free(&result) }
    if let problem = problem(of: result, format: .png) {
      throw DataError.image(file: "PNG", problem: problem)
    }
    return Array(UnsafeBufferPointer(start: result.bytes, count: result.size))
  }

  private static func problem(of result: codec_result, format: Format) -> ImageProblem? {
    let width = Int(result.width)
    let height = Int(result.height)
    switch result.status {
    case CODEC_OK: return nil
    case CODEC_TRUNCATED: return .truncated(format: format.rawValue)
    case CODEC_TOO_LARGE: return .tooLarge(width: width, height: height)
    case CODEC_OUT_OF_MEMORY: return .outOfMemory(width: width, height: height)
    default:
      let reason = withUnsafeBytes(of: result.message) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      return .damaged(format: format.rawValue, reason: reason)
    }
  }
}
