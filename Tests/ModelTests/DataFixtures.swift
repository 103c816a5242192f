import Foundation

@testable import Model

/// Files that other programs wrote (Tests/Tools/data_fixtures.py, transform_fixtures.py).
enum DataFixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/data")

  static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appendingPathComponent(path)))
  }

  static func json<Value: Decodable>(_ path: String, as type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(contentsOf: folder.appendingPathComponent(path)))
  }

  /// Noise with blocks of black and white, as in the fixture scripts; soft noise has the bytes 60 to 123
  /// alone.
  static func noise(width: Int, height: Int, seed: UInt64, soft: Bool = false) -> ImageRGB {
    var state = seed
    let pixels = (0..<(3 * width * height)).map { index in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      var value = UInt8(state >> 56)
      if (index / 24) % 4 == 1 { value = value >= 128 ? 255 : 0 }
      return soft ? 60 + value / 4 : value
    }
    return ImageRGB(width: width, height: height, pixels: pixels)
  }

  /// One of the four CIFAR-10 test pictures.
  static func cifar(_ number: Int) throws -> ImageRGB {
    var records = CIFAR.Records()
    let bytes = try bytes("cifar-10-batches-bin/test_batch.bin")
    try CIFAR.ten.appendBinary(bytes, file: "test_batch.bin", to: &records, limit: 4)
    let size = CIFAR.imageBytes
    return ImageRGB(
      width: 32, height: 32, pixels: Array(records.pixels[(number * size)..<((number + 1) * size)]))
  }

  static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
        value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
      }
    }
  }

  /// Runs `body` with a new empty folder, which is removed afterwards.
  static func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("data-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    return try body(folder)
  }
}

/// A picture source whose pictures are drawn from their number, of different sizes if wanted; some
/// may fail.
final class NoiseDataset: Dataset {
  let name = "noise"
  let classNames = ["a", "b", "c"]
  let count: Int
  let broken: Set<Int>

  init(count: Int, broken: Set<Int> = []) {
    self.count = count
    self.broken = broken
  }

  func label(_ index: Int) -> Int { index % 3 }

  func image(_ index: Int) throws -> ImageRGB {
    if broken.contains(index) {
      throw DataError.unreadable(file: "picture \(index)", reason: "broken")
    }
    return DataFixtures.noise(width: 5 + index % 7, height: 4 + index % 5, seed: UInt64(index))
  }
}
