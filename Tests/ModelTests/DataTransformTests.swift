import Foundation
import Testing

@testable import Model

/// What timm made of given pictures (Tests/Tools/transform_fixtures.py).
private struct TransformFixture: Decodable {
  struct Source: Decodable {
    let cifar: Int?
    let width: Int?
    let height: Int?
    let seed: UInt64?

    func image() throws -> ImageRGB {
      if let cifar { return try DataFixtures.cifar(cifar) }
      return DataFixtures.noise(
        width: try #require(width), height: try #require(height), seed: try #require(seed))
    }
  }

  struct Evaluation: Decodable {
    let source: Source
    let size: Int
    let cropFraction: Double
    let interpolation: String
    let squash: Bool
    let crc: UInt32
    let floats: [Float]
  }

  struct Draw: Decodable {
    let x, y, width, height, order: Int
    let interpolation: String
    let flipsHorizontally, flipsVertically: Bool
    let brightness, contrast, saturation: Float
  }

  struct Training: Decodable {
    let source: Source
    let size: Int
    let seed: UInt64
    let epoch, index: Int
    let draw: Draw
    let crc: UInt32
  }

  struct Jitter: Decodable {
    let operation: String
    let factor: Float
    let crc: UInt32
  }

  let evaluation: [Evaluation]
  let training: [Training]
  let jitter: [Jitter]

  static func load() throws -> TransformFixture {
    try DataFixtures.json("transforms.json", as: TransformFixture.self)
  }
}

@Suite struct DataTransformTests {
  @Test func evaluationEqualsTimm() throws {
    for test in try TransformFixture.load().evaluation {
      let filter = try #require(Interpolation(rawValue: test.interpolation))
      let transform =
        test.squash
        ? EvalTransform.withoutAugmentation(
          size: test.size, interpolation: filter, normalization: .imageNet)
        : EvalTransform(
          size: test.size, cropFraction: test.cropFraction, interpolation: filter,
          normalization: .imageNet)
      let image = try test.source.image()
      let output = transform(image)
      #expect(
        DataFixtures.crc32(output.pixels) == test.crc,
        "\(image.width) x \(image.height) to \(test.size), \(test)")
      // PyTorch divides by 255 first; ours does as timm's loader. They differ in the last bits.
      for (ours, theirs) in zip(transform.input(image), test.floats) {
        #expect(abs(ours - theirs) <= 1e-6 + 1e-6 * abs(theirs))
      }
    }
  }

  @Test func trainingEqualsTimmForTheSameDraws() throws {
    for test in try TransformFixture.load().training {
      var transform = TrainTransform(size: test.size, normalization: .imageNet)
      transform.verticalFlip = 0.25
      let image = try test.source.image()
      let key = SampleKey(seed: test.seed, epoch: test.epoch, index: test.index)
      let draw = transform.draw(width: image.width, height: image.height, key: key)
      let expected = TrainTransform.Draw(
        x: test.draw.x, y: test.draw.y, width: test.draw.width, height: test.draw.height,
        interpolation: try #require(Interpolation(rawValue: test.draw.interpolation)),
        flipsHorizontally: test.draw.flipsHorizontally,
        flipsVertically: test.draw.flipsVertically,
        color: ColorJitter(
          brightness: test.draw.brightness, contrast: test.draw.contrast,
          saturation: test.draw.saturation, order: test.draw.order))
      #expect(draw == expected)
      #expect(DataFixtures.crc32(transform(image, key: key).pixels) == test.crc, "\(draw)")
    }
  }

  @Test func colorChangesEqualPillow() throws {
    for test in try TransformFixture.load().jitter {
      var pixels = DataFixtures.noise(width: 37, height: 23, seed: 77).pixels
      // The other two factors are 1, which changes nothing.
      var jitter = ColorJitter(brightness: 1, contrast: 1, saturation: 1, order: 3)
      switch test.operation {
      case "brightness": jitter.brightness = test.factor
      case "contrast": jitter.contrast = test.factor
      default: jitter.saturation = test.factor
      }
      jitter.apply(to: &pixels, pixelCount: 37 * 23)
      #expect(DataFixtures.crc32(pixels) == test.crc, "\(test)")
    }
  }

  @Test func drawsCoverTheirRanges() {
    let transform = TrainTransform(size: 8, normalization: .half)
    var flips = 0
    var bicubic = 0
    var orders = Set<Int>()
    let total = 4000
    for index in 0..<total {
      let draw = transform.draw(
        width: 100, height: 80, key: SampleKey(seed: 7, epoch: 1, index: index))
      let area = Double(draw.width * draw.height) / 8000
      let ratio = Double(draw.width) / Double(draw.height)
      #expect(area > 0.07 && area <= 1)
      #expect(ratio > 0.7 && ratio < 1.4)
      #expect(draw.x >= 0 && draw.x + draw.width <= 100)
      #expect(draw.y >= 0 && draw.y + draw.height <= 80)
      #expect(!draw.flipsVertically)
      flips += draw.flipsHorizontally ? 1 : 0
      bicubic += draw.interpolation == .bicubic ? 1 : 0
      if let color = draw.color {
        orders.insert(color.order)
        for factor in [color.brightness, color.contrast, color.saturation] {
          #expect(factor >= 0.6 && factor <= 1.4)
        }
      }
    }
    // Five standard deviations of a fair coin.
    #expect(abs(flips - total / 2) < 160)
    #expect(abs(bicubic - total / 2) < 160)
    #expect(orders.count == 6)
  }

  @Test func settingsDoNotDisturbEachOther() {
    let key = SampleKey(seed: 1, epoch: 2, index: 3)
    let usual = TrainTransform(size: 8, normalization: .half)
    var changed = usual
    changed.scale = 0.5...1
    changed.interpolation = .bilinear
    changed.horizontalFlip = 1
    let before = usual.draw(width: 64, height: 48, key: key)
    let after = changed.draw(width: 64, height: 48, key: key)
    #expect(before.color == after.color)
    #expect(after.flipsHorizontally)
    var plain = usual
    plain.colorJitter = 0
    let without = plain.draw(width: 64, height: 48, key: key)
    #expect(without.color == nil)
    #expect(without.x == before.x && without.interpolation == before.interpolation)
  }

  @Test func picturesOfAnySizeAreAccepted() {
    var train = TrainTransform(size: 9, normalization: .half)
    train.verticalFlip = 0.5
    for (width, height) in [(1, 1), (1, 2), (2, 1), (1, 500), (500, 1), (3, 2), (7, 400)] {
      let image = DataFixtures.noise(width: width, height: height, seed: 1)
      for index in 0..<20 {
        let output = train(image, key: SampleKey(seed: 3, epoch: 0, index: index))
        #expect(output.width == 9 && output.height == 9)
      }
      for mode in EvalTransform.CropMode.allCases {
        for crop in [0.5, 0.875, 1.0] {
          let transform = EvalTransform(
            size: 9, cropFraction: crop, interpolation: .bicubic, normalization: .half,
            cropMode: mode)
          #expect(transform(image).pixels.count == 3 * 81)
        }
      }
    }
  }

  @Test func aCropFractionAboveOneLeavesABlackBorder() {
    let image = ImageRGB(width: 10, height: 10, pixels: [UInt8](repeating: 255, count: 300))
    let transform = EvalTransform(
      size: 10, cropFraction: 1.25, interpolation: .bilinear, normalization: .half)
    let output = transform(image)
    for y in 0..<10 {
      for x in 0..<10 {
        let inside = (1..<9).contains(x) && (1..<9).contains(y)
        #expect(output.pixels[3 * (10 * y + x)] == (inside ? 255 : 0))
      }
    }
  }
}
