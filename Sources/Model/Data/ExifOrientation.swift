/// How a camera was held, as EXIF records it: which way a picture must be turned to stand upright.
///
/// The tag 0x0112 of "Exchangeable image file format for digital still cameras", JEITA CP-3451.
struct ExifOrientation: Equatable {
  /// Mirrored left to right, mirrored top to bottom, rows and columns swapped (in this order: the
  /// swap comes first when the upright picture is made).
  let mirrorsColumns: Bool
  let mirrorsRows: Bool
  let transposes: Bool

  /// The meaning of a tag value; nil for 1 (upright) and for values without a meaning.
  init?(tag: Int) {
    switch tag {
    case 2: self.init(mirrorsColumns: true, mirrorsRows: false, transposes: false)
    case 3: self.init(mirrorsColumns: true, mirrorsRows: true, transposes: false)
    case 4: self.init(mirrorsColumns: false, mirrorsRows: true, transposes: false)
    case 5: self.init(mirrorsColumns: false, mirrorsRows: false, transposes: true)
    case 6: self.init(mirrorsColumns: true, mirrorsRows: false, transposes: true)
    case 7: self.init(mirrorsColumns: true, mirrorsRows: true, transposes: true)
    case 8: self.init(mirrorsColumns: false, mirrorsRows: true, transposes: true)
    default: return nil
    }
  }

  private init(mirrorsColumns: Bool, mirrorsRows: Bool, transposes: Bool) {
    self.mirrorsColumns = mirrorsColumns
    self.mirrorsRows = mirrorsRows
    self.transposes = transposes
  }

  /// Finds the orientation in a picture file; nil when there is none or it cannot be read, which is
  /// no error.
  init?(of bytes: [UInt8], _ format: ImageCodec.Format) {
    let tiff =
      switch format {
      case .jpeg: Self.tiff(jpeg: bytes)
      case .png: Self.tiff(png: bytes)
      }
    guard let tiff, let tag = Self.tag(tiff: tiff) else { return nil }
    self.init(tag: tag)
  }

  /// What the segments of a JPEG file say about the camera.
  private static func tiff(jpeg bytes: [UInt8]) -> [UInt8]? {
    var offset = 2
    while offset + 4 <= bytes.count, bytes[offset] == 0xFF {
      let marker = bytes[offset + 1]
      if marker == 0xFF {  // a fill byte
        offset += 1
        continue
      }
      if marker == 0xDA || marker == 0xD9 { return nil }
      let length = Int(bytes[offset + 2]) << 8 | Int(bytes[offset + 3])
      let end = offset + 2 + length
      if length < 2 || end > bytes.count { return nil }
      let body = bytes[(offset + 4)..<end]
      if marker == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) {
        return Array(body.dropFirst(6))
      }
      offset = end
    }
    return nil
  }

  /// The same in the chunks of a PNG file: a length, a name, the contents and a checksum each.
  private static func tiff(png bytes: [UInt8]) -> [UInt8]? {
    var offset = 8
    while offset + 12 <= bytes.count {
      let length = bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | Int($1) }
      let body = offset + 8
      if body + length + 4 > bytes.count { return nil }
      if bytes[(offset + 4)..<body].elementsEqual("eXIf".utf8) {
        return Array(bytes[body..<(body + length)])
      }
      offset = body + length + 4
    }
    return nil
  }

  /// The value of tag 0x0112 in the first directory of a TIFF structure.
  private static func tag(tiff bytes: [UInt8]) -> Int? {
    let bigEndian: Bool
    if bytes.starts(with: Array("MM\0*".utf8)) {
      bigEndian = true
    } else if bytes.starts(with: Array("II*\0".utf8)) {
      bigEndian = false
    } else {
      return nil
    }
    func integer(at offset: Int, size: Int) -> Int? {
      guard offset >= 0, offset + size <= bytes.count else { return nil }
      let digits = bytes[offset..<(offset + size)]
      return (bigEndian ? Array(digits) : digits.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = integer(at: 4, size: 4),
      let count = integer(at: directory, size: 2)
    else { return nil }
    for entry in 0..<count {
      let start = directory + 2 + 12 * entry
      guard let tag = integer(at: start, size: 2) else { return nil }
      if tag == 0x0112 { return integer(at: start + 8, size: 2) }
    }
    return nil
  }

  /// The picture as it is to be looked at.
  func upright(_ image: ImageRGB) -> ImageRGB {
    let width = transposes ? image.height : image.width
    let height = transposes ? image.width : image.height
    var pixels = [UInt8](repeating: 0, count: image.pixels.count)
    for y in 0..<height {
      for x in 0..<width {
        let turnedX = mirrorsColumns ? width - 1 - x : x
        let turnedY = mirrorsRows ? height - 1 - y : y
        let source = transposes ? (x: turnedY, y: turnedX) : (x: turnedX, y: turnedY)
        let from = 3 * (source.y * image.width + source.x)
        let to = 3 * (y * width + x)
        pixels[to] = image.pixels[from]
        pixels[to + 1] = image.pixels[from + 1]
        pixels[to + 2] = image.pixels[from + 2]
      }
    }
    return ImageRGB(width: width, height: height, pixels: pixels)
  }
}
