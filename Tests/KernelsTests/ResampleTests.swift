import Foundation
import Kernels
import Testing

/// What Pillow made of a picture of noise (Tests/Tools/transform_fixtures.py).
private struct ResampleFixture: Decodable {
  struct Case: Decodable {
    let filter: String
    let source: [Int]
    let seed: UInt64
    let box: [Float]?
    let size: [Int]
    let crc: UInt32
    let first: [UInt8]
  }
  let cases: [Case]

  static func load() throws -> ResampleFixture {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/kernels/resample.json")
    return try JSONDecoder().decode(ResampleFixture.self, from: Data(contentsOf: file))
  }
}

/// The pictures of the fixture: noise with blocks of black and white.
private func noise(width: Int, height: Int, seed: UInt64) -> [UInt8] {
  var state = seed
  return (0..<(3 * width * height)).map { index in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    let value = UInt8(state >> 56)
    return (index / 24) % 4 == 1 ? (value >= 128 ? 255 : 0) : value
  }
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(UInt32.max) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1
    }
  }
}

private func filter(_ name: String) -> ResampleFilter { name == "bicubic" ? .bicubic : .bilinear }

/// The definition, pixel by pixel, for parts of the output.
private func resized(
  _ pixels: [UInt8], _ width: Int, _ height: Int, to size: (Int, Int), _ filter: ResampleFilter,
  with resampler: Resampler = Resampler(), columns: Range<Int>? = nil, rows: Range<Int>? = nil
) throws -> [UInt8] {
  let columns = columns ?? 0..<size.0
  let rows = rows ?? 0..<size.1
  var output = [UInt8](repeating: 7, count: 3 * columns.count * rows.count)
  try pixels.withUnsafeBufferPointer { buffer in
    let view = PixelView(base: try #require(buffer.baseAddress), width: width, height: height)
    resampler.resize(
      view, width: size.0, height: size.1, filter: filter, columns: columns, rows: rows,
      into: &output)
  }
  return output
}

@Suite struct ResampleTests {
  @Test func equalsPillowToTheLastBit() throws {
    let resampler = Resampler()
    for test in try ResampleFixture.load().cases {
      let width = test.source[0]
      let height = test.source[1]
      let pixels = noise(width: width, height: height, seed: test.seed)
      var output = [UInt8](repeating: 7, count: 3 * test.size[0] * test.size[1])
      let box = test.box ?? [0, 0, Float(width), Float(height)]
      let horizontal = ResampleTable(
        inputSize: width, box: box[0]...box[2], outputSize: test.size[0],
        filter: filter(test.filter))
      let vertical = ResampleTable(
        inputSize: height, box: box[1]...box[3], outputSize: test.size[1],
        filter: filter(test.filter))
      try pixels.withUnsafeBufferPointer { buffer in
        let view = PixelView(base: try #require(buffer.baseAddress), width: width, height: height)
        resampler.resample(view, horizontal: horizontal, vertical: vertical, into: &output)
      }
      #expect(
        crc32(output) == test.crc,
        "\(test.filter) \(test.source) to \(test.size), box \(box): \(output.prefix(6)) for \(test.first)"
      )
      if test.box == nil {
        let again = try resized(
          pixels, width, height, to: (test.size[0], test.size[1]), filter(test.filter),
          with: resampler)
        #expect(again == output)
      }
    }
  }

  @Test func partsEqualTheWhole() throws {
    let pixels = noise(width: 53, height: 41, seed: 3)
    for filter in [ResampleFilter.bilinear, .bicubic] {
      for size in [(53, 20), (20, 41), (53, 41), (31, 67), (90, 13)] {
        let whole = try resized(pixels, 53, 41, to: size, filter)
        let columns = 3..<(size.0 - 2)
        let rows = 5..<(size.1 - 1)
        let part = try resized(pixels, 53, 41, to: size, filter, columns: columns, rows: rows)
        var expected: [UInt8] = []
        for row in rows {
          let start = 3 * (row * size.0 + columns.lowerBound)
          expected += whole[start..<(start + 3 * columns.count)]
        }
        #expect(part == expected)
      }
    }
  }

  @Test func aCropIsAPictureOfItsOwn() throws {
    let pixels = noise(width: 40, height: 30, seed: 9)
    let (x, y, width, height) = (7, 5, 23, 19)
    var copied: [UInt8] = []
    for row in y..<(y + height) {
      let start = 3 * (row * 40 + x)
      copied += pixels[start..<(start + 3 * width)]
    }
    let expected = try resized(copied, width, height, to: (32, 32), .bicubic)
    var output = [UInt8](repeating: 0, count: 3 * 32 * 32)
    try pixels.withUnsafeBufferPointer { buffer in
      let view = PixelView(base: try #require(buffer.baseAddress), width: 40, height: 30)
      Resampler().resize(
        view.cropped(x: x, y: y, width: width, height: height), width: 32, height: 32,
        filter: .bicubic, into: &output)
    }
    #expect(output == expected)
  }

  @Test func aConstantPictureStaysConstant() throws {
    for value: UInt8 in [0, 1, 127, 254, 255] {
      for size in [(3, 3), (17, 40), (100, 9)] {
        let pixels = [UInt8](repeating: value, count: 3 * 19 * 23)
        let output = try resized(pixels, 19, 23, to: size, .bicubic)
        #expect(output.allSatisfy { $0 == value })
      }
    }
  }

  @Test func aResamplerGivesTheSameWhateverItDidBefore() throws {
    let resampler = Resampler()
    let large = noise(width: 200, height: 150, seed: 1)
    let small = noise(width: 9, height: 11, seed: 2)
    let fresh = try resized(small, 9, 11, to: (20, 21), .bicubic)
    for _ in 0..<3 {
      _ = try resized(large, 200, 150, to: (64, 64), .bilinear, with: resampler)
      #expect(try resized(small, 9, 11, to: (20, 21), .bicubic, with: resampler) == fresh)
    }
  }
}

@Suite struct PixelOperationTests {
  @Test func flipsAreExact() {
    for (width, height) in [(1, 1), (2, 3), (5, 4), (16, 1)] {
      let pixels = noise(width: width, height: height, seed: 5)
      var mirrored = pixels
      flipHorizontally(&mirrored, width: width, height: height)
      var turned = pixels
      flipVertically(&turned, width: width, height: height)
      for y in 0..<height {
        for x in 0..<width {
          for channel in 0..<3 {
            let value = pixels[3 * (y * width + x) + channel]
            #expect(mirrored[3 * (y * width + width - 1 - x) + channel] == value)
            #expect(turned[3 * ((height - 1 - y) * width + x) + channel] == value)
          }
        }
      }
    }
  }

  @Test func normalizationFollowsItsFormula() {
    let offset = SIMD3<Float>(123.675, 116.28, 103.53)
    let divisor = SIMD3<Float>(58.395, 57.12, 57.375)
    for count in [0, 1, 15, 16, 17, 100] {
      let pixels = Array(noise(width: max(count, 1), height: 1, seed: 8).prefix(3 * count))
      var output = [Float](repeating: .nan, count: 3 * count + 1)
      normalizePixels(
        pixels, pixelCount: count, offset: offset, divisor: divisor, output: &output)
      for index in 0..<(3 * count) {
        #expect(output[index] == (Float(pixels[index]) - offset[index % 3]) / divisor[index % 3])
      }
      #expect(output[3 * count].isNaN)
    }
  }
}
