import Foundation
import Kernels
import Testing

@testable import Model

/// What is shown to people of a network and of its data.
struct ActivationTests {
  private struct Found: Decodable {
    let map: [[Float]]
    let probability: Double
  }

  /// The picture of Tests/Tools/make_activation_fixtures.py.
  private static var picture: ImageRGB {
    let size = 128
    var pixels: [UInt8] = []
    for y in 0..<size {
      for x in 0..<size {
        for channel in 0..<3 {
          let value = x * 3 + y * 5 + channel * 40 + x * y / 64
          pixels.append(UInt8(value % 256))
        }
      }
    }
    return ImageRGB(width: size, height: size, pixels: pixels)
  }

  @Test(arguments: ["avg", "max"])
  func mapsEqualThoseOfPyTorchsBackward(pooling: String) throws {
    let file = fixtureFolder("network").appendingPathComponent("gradcam.json")
    let fixture = try JSONDecoder().decode(
      [String: [String: Found]].self, from: Data(contentsOf: file))
    let plain = try Variant.named("tf_efficientnetv2_b0")
    let variant = try plain.pooled(by: try #require(GlobalPooling(word: pooling)))
    let network = Network(try Blueprint(variant, classCount: 10), seed: 42)
    let before = network.weightDigest
    let transform = EvalTransform(
      size: 128, cropFraction: 1, interpolation: .bicubic, normalization: .imageNet)
    let predictor = try Predictor(
      network, transform: transform, batch: 1, pool: ThreadPool(threads: 2))
    for (label, expected) in try #require(fixture[pooling]) {
      let found = try #require(predictor.classActivation(of: Self.picture, label: Int(label)))
      #expect(found.label == Int(label) && found.picture == Self.picture)
      #expect(abs(found.probability - expected.probability) < 1e-4)
      let largest = expected.map.joined().max() ?? 0
      for (row, wanted) in zip(found.rows, expected.map) {
        for (value, wanted) in zip(row, wanted) { #expect(abs(value - wanted) < 2e-3 * largest) }
      }
    }
    #expect(network.weightDigest == before)
  }

  @Test func theMostProbableClassIsTakenWithoutOne() throws {
    let network = try TinyTraining.network()
    let transform = EvalTransform(
      size: 16, cropFraction: 1, interpolation: .bilinear, normalization: .imageNet)
    let predictor = try Predictor(
      network, transform: transform, batch: 1, pool: ThreadPool(threads: 1))
    let image = try TinyTraining.data().test.image(3)
    let found = try #require(predictor.classActivation(of: image, label: nil))
    let all = (0..<10).compactMap { predictor.classActivation(of: image, label: $0) }
    #expect(all.map(\.probability).max() == found.probability)
    #expect(abs(all.reduce(0) { $0 + $1.probability } - 1) < 1e-6)
    #expect(predictor.classActivation(of: image, label: 10) == nil)
  }

  @Test func filtersFillTheirRange() throws {
    let network = try TinyTraining.network()
    let filters = network.firstFilters
    #expect(filters.count == 8 && filters.allSatisfy { $0.width == 3 && $0.height == 3 })
    let info = network.blueprint.parameters["conv_stem.weight"]
    let weights = network.parameters.weights + (try #require(info)).offset
    for (index, filter) in filters.enumerated() {
      let values = (0..<27).map { weights[$0 * 8 + index] }
      let largest = values.map(abs).max() ?? 1
      for (byte, value) in zip(filter.pixels, values) {
        #expect(abs(Float(byte) - (127.5 + 127.5 * value / largest)) <= 0.51)
      }
      // Its strongest weight is black or white.
      #expect(filter.pixels.contains(0) || filter.pixels.contains(255))
    }
  }

  /// The preview is what the step of a training was really given.
  @Test func aBatchIsShownAsTrainingSeesIt() throws {
    var tiny = TinyTraining()
    tiny.settings["mixup"] = .number(0.4)
    tiny.settings["reprob"] = .number(0.5)
    tiny.settings["max-steps"] = .integer(6)
    let settings = try tiny.hyperparameters
    let folder = try TemporaryFolder()
    let trainer = try tiny.trainer(in: folder)
    _ = try Listener().run(trainer)
    // Four steps an epoch: the sixth is the second of the second epoch.
    let pictures = try BatchPreview.pictures(
      of: TinyTraining.data().train, settings: settings, epoch: 1, batch: 1)
    #expect(pictures.count == 8)
    let values = 3 * 16 * 16
    let normalization = settings.preprocessing.normalization
    for (row, picture) in pictures.enumerated() {
      let seen = normalization.image(trainer.step.input + row * values, size: 16)
      #expect(picture.image == seen)
      #expect(picture.label == Int(trainer.step.targets.labels[row]))
      #expect(picture.share == Double(trainer.step.targets.shares[row]))
      #expect(picture.partner == Int(trainer.step.targets.partners[row]))
    }
    #expect(pictures.contains { $0.share < 1 })
    let none = try BatchPreview.pictures(
      of: TinyTraining.data().train, settings: settings, epoch: 0, batch: 4)
    #expect(none.isEmpty)
  }
}
