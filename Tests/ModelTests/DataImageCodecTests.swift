import Foundation
import Testing

@testable import Model

@Suite struct DataImageCodecTests {
  private struct Expected: Decodable {
    struct Picture: Decodable {
      let width, height: Int
      let crc: UInt32
    }
    let images: [String: Picture]
  }

  private func expected() throws -> [String: Expected.Picture] {
    try DataFixtures.json("images.json", as: Expected.self).images
  }

  @Test func decodesAsPillow() throws {
    let expected = try expected()
    #expect(expected.count > 30)
    for (name, picture) in expected.sorted(by: { $0.key < $1.key }) {
      let file = DataFixtures.folder.appendingPathComponent("images/\(name)")
      let image = try ImageCodec.decode(contentsOf: file)
      #expect(image.width == picture.width && image.height == picture.height, "\(name)")
      #expect(DataFixtures.crc32(image.pixels) == picture.crc, "\(name)")
    }
  }

  @Test func aWrittenPictureIsReadBack() throws {
    for (width, height) in [(1, 1), (7, 3), (64, 33)] {
      let image = DataFixtures.noise(width: width, height: height, seed: 2)
      #expect(try ImageCodec.decode(ImageCodec.encodePNG(image), name: "x") == image)
    }
  }

  /// The chunk `eXIf`, before or behind the pixels.
  @Test(arguments: 1...9) func aPNGIsTurnedUpright(tag: Int) throws {
    let image = DataFixtures.noise(width: 7, height: 3, seed: 2)
    let plain = try ImageCodec.encodePNG(image)
    func number(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }
    let tiff: [UInt8] =
      Array("MM\0*".utf8) + number(8) + [0, 1] + [0x01, 0x12, 0, 3] + number(1)
      + [0, UInt8(tag), 0, 0] + number(0)
    let named = Array("eXIf".utf8) + tiff
    let chunk = number(tiff.count) + named + number(Int(DataFixtures.crc32(named)))
    let wanted = ExifOrientation(tag: tag)?.upright(image) ?? image
    for place in [33, plain.count - 12] {
      let turned = Array(plain[..<place]) + chunk + Array(plain[place...])
      #expect(try ImageCodec.decode(turned, name: "x") == wanted)
    }
  }

  @Test func everyTruncationIsAnError() throws {
    for name in ["420.jpg", "progressive.jpg", "gray.jpg", "cmyk.jpg", "rgb.png", "interlaced.png"]
    {
      let bytes = try DataFixtures.bytes("images/\(name)")
      // A JPEG may lack its last two bytes (the end marker) and still hold every pixel; then the
      // decoder's last read decides.
      let whole = name.hasSuffix("png") ? bytes.count : bytes.count - 2
      for length in 0..<whole {
        #expect(throws: DataError.self, "\(name), \(length) of \(bytes.count) bytes") {
          try ImageCodec.decode(Array(bytes.prefix(length)), name: name)
        }
      }
    }
  }

  @Test func damagedBytesNeverCrash() throws {
    for name in try expected().keys.sorted() {
      let bytes = try DataFixtures.bytes("images/\(name)")
      for position in stride(from: 0, to: bytes.count, by: 3) {
        for change: UInt8 in [0x01, 0x80, 0xFF] {
          var damaged = bytes
          damaged[position] ^= change
          do {
            let image = try ImageCodec.decode(damaged, name: name)
            #expect(image.width * image.height * 3 == image.pixels.count)
          } catch let error as DataError {
            #expect(!error.message.isEmpty)
          }
        }
      }
    }
  }

  @Test func hugePicturesAreRefused() throws {
    // The header of a PNG with 65536 x 65536 pixels (and its right checksum).
    var png = try DataFixtures.bytes("images/rgb.png")
    png.replaceSubrange(16..<24, with: [0, 1, 0, 0, 0, 1, 0, 0])
    let sum = DataFixtures.crc32(Array(png[12..<29]))
    png.replaceSubrange(
      29..<33, with: (0..<4).map { UInt8(truncatingIfNeeded: sum >> (24 - 8 * $0)) })
    #expect(
      throws: DataError.image(file: "x", problem: .tooLarge(width: 65536, height: 65536))
    ) { try ImageCodec.decode(png, name: "x") }
  }

  @Test func otherFilesAreNamed() throws {
    #expect(throws: DataError.emptyFile(file: "x")) { try ImageCodec.decode([], name: "x") }
    #expect(throws: DataError.image(file: "x", problem: .unknownFormat)) {
      try ImageCodec.decode(Array("GIF89a".utf8), name: "x")
    }
    #expect(
      throws: DataError.unreadable(file: "/nowhere/x.png", reason: "no such file or directory")
    ) {
      try ImageCodec.decode(contentsOf: URL(fileURLWithPath: "/nowhere/x.png"))
    }
    let folder = DataFixtures.folder
    #expect(throws: DataError.unreadable(file: folder.path, reason: "is a directory")) {
      try ImageCodec.decode(contentsOf: folder)
    }
  }

  @Test func aFolderOfPicturesIsADataSet() throws {
    try DataFixtures.withFolder { folder in
      #expect(throws: DataError.noImages(path: folder.path)) { try ImageFiles(folder: folder) }
      let inner = folder.appendingPathComponent("b/c")
      try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
      let source = DataFixtures.folder.appendingPathComponent("images")
      for (from, to) in [
        ("444.jpg", "z.JPG"), ("rgb.png", "b/c/a.png"), ("gray.jpg", "b/x.jpeg"),
        ("rgb.png", "b/notes.txt"), ("rgb.png", ".hidden.png"),
      ] {
        try FileManager.default.copyItem(
          at: source.appendingPathComponent(from), to: folder.appendingPathComponent(to))
      }
      let files = try ImageFiles(folder: folder)
      let names = files.files.map { $0.path.dropFirst(folder.path.count + 1) }
      #expect(names == ["b/c/a.png", "b/x.jpeg", "z.JPG"])
      #expect(files.count == 3 && files.label(0) == -1)
      #expect(try files.image(1).width == 23)
    }
    let missing = URL(fileURLWithPath: "/nowhere/at/all")
    #expect(throws: DataError.missingFolder(path: missing.path)) { try ImageFiles(folder: missing) }
  }
}
