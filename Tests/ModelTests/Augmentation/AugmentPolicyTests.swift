import Foundation
import Kernels
import Testing

@testable import Model

@Suite struct AugmentPolicyTests {
  /// What timm and torchvision make of texts, levels and pictures.
  private struct Fixture: Decodable {
    struct Table: Decodable {
      let steps: [[FixtureRow]]
      let deviation: Double
      let largest: Double
      let layers: Int?
      let weights: [Double]?
      let width: Int?
      let depth: Int?
      let alpha: Double?
      let blended: Bool?
    }
    let levels: [FixtureRow]
    let tables: [String: Table]
    let cases: [FixtureRow]
    let padded: [FixtureRow]

    static func load() throws -> Fixture {
      try DataFixtures.json("policies.json", as: Fixture.self)
    }
  }

  @Test func tablesEqualTimm() throws {
    for (text, table) in try Fixture.load().tables {
      let policy = try AugmentPolicy(text)
      let steps = table.steps.map { steps in
        steps.map { "\($0.word(0)) \($0.number(1)) \($0.number(2))" }
      }
      func described(_ step: AugmentPolicy.Step) -> String {
        "\(step.kind.rawValue) \(step.probability) \(step.magnitude)"
      }
      #expect(policy.largestMagnitude == table.largest)
      switch policy.noise {
      case .none: #expect(table.deviation == 0)
      case .normal(let deviation): #expect(deviation == table.deviation)
      case .uniform: #expect(table.deviation == 1e9)
      }
      switch policy.scheme {
      case .sequences(let sequences):
        #expect(sequences.map { $0.map(described) } == steps, "\(policy.text)")
      case .random(let choice):
        let ours = choice.kinds.map {
          described(AugmentPolicy.Step($0, choice.probability, choice.magnitude))
        }
        #expect([ours] == steps, "\(policy.text)")
        #expect(choice.layers == table.layers)
        let weights: [Double] = choice.weights ?? []
        let expected: [Double] = table.weights ?? []
        let sum: Double = weights.reduce(0, +)
        #expect(weights.count == expected.count)
        for (weight, share) in zip(weights, expected) {
          #expect(abs(weight / sum - share) < 1e-15)
        }
      case .chains(let chains):
        let ours = AugmentPolicy.chainKinds.map {
          described(AugmentPolicy.Step($0, 1, chains.magnitude))
        }
        #expect([ours] == steps)
        #expect(chains.width == table.width && (chains.depth ?? -1) == table.depth)
        #expect(chains.alpha == table.alpha && chains.isBlended == table.blended)
      case .torchvision: Issue.record("\(policy.text) is no policy of timm")
      }
    }
  }

  /// The one number of an operation.
  private func argument(_ operation: PixelOperation) -> Double {
    switch operation {
    case .autoContrast, .equalize, .invert: 0
    case .posterize(let bits): Double(bits)
    case .solarize(let threshold): Double(threshold)
    case .solarizeAdd(let addend): Double(addend)
    case .color(let factor), .contrast(let factor), .brightness(let factor),
      .sharpness(let factor), .blur(let factor), .rotate(let factor, _):
      factor
    case .move(let map, _): map.b + map.c + map.d + map.f
    }
  }

  @Test func levelsEqualTimm() throws {
    let rows = try Fixture.load().levels
    #expect(Set(rows.map { $0.word(0) }) == Set(AugmentKind.allCases.map(\.rawValue)))
    let setting = OperationSetting(size: 60, filter: .bilinear)
    for row in rows {
      let kind = try #require(AugmentKind(rawValue: row.word(0)))
      let draw = OperationDraw(
        gate: 0, noise: (0, 0), sign: row.number(2), filter: 0, extra: 0.25)
      let ours = argument(kind.operation(magnitude: row.number(1), draw, setting))
      let level = row.number(3)
      let theirs =
        switch kind {
        case .translateXRel, .translateYRel: level * 60
        case .desaturate: min(1, max(0, 1 - level))
        case .gaussianBlurRand: 0.1 + (2 * level - 0.1) * 0.25
        default: level
        }
      #expect(ours == theirs, "\(kind.rawValue) \(row.number(1))")
    }
  }

  @Test func picturesEqualTimmAndTorchvision() throws {
    let workspace = TransformWorkspace()
    var differing: [String: Int] = [:]
    let cases = try Fixture.load().cases
    for row in cases {
      let size = row.integer(1)
      var transform = TrainTransform(size: size, normalization: .imageNet)
      transform.policy = try AugmentPolicy(row.word(0))
      transform.interpolation = Interpolation(rawValue: row.word(2))
      transform.colorJitter = 0
      // The policy alone: no crop, no flip.
      transform.padding = 0
      transform.horizontalFlip = 0
      let key = SampleKey(
        seed: 9, epoch: row.integer(5), index: row.integer(6), split: row.integer(7))
      let image = DataFixtures.noise(
        width: size, height: size, seed: UInt64(row.integer(3)), soft: row.flag(4))
      var pixels = [UInt8](repeating: 0, count: image.pixels.count)
      image.withView {
        transform.render($0, key: key, workspace: workspace, into: &pixels)
      }
      if DataFixtures.crc32(pixels) != UInt32(row.integer(8)) {
        differing[row.word(0), default: 0] += 1
      }
    }
    #expect(cases.count > 400)
    #expect(differing.isEmpty)
  }

  @Test func paddedCropsEqualTorchvision() throws {
    for row in try Fixture.load().padded {
      let size = row.integer(0)
      var transform = TrainTransform(size: size, normalization: .imageNet)
      transform.padding = row.integer(1)
      transform.colorJitter = 0
      transform.horizontalFlip = 0
      let image = DataFixtures.noise(width: size, height: size, seed: UInt64(row.integer(2)))
      let output = transform(image, key: SampleKey(seed: 5, epoch: 0, index: row.integer(3)))
      #expect(DataFixtures.crc32(output.pixels) == UInt32(row.integer(4)), "\(size)")
    }
  }

  @Test(arguments: [
    ("rand-m9-q3", "'q3' is no part of rand"), ("rand-m9-m8", "'m' is there twice"),
    ("rand-m", "'m' is not a letter and a value"), ("rand-", "'' is not a letter and a value"),
    ("rand-mx9", "'mx9' is no part of rand"),
    ("rand-n2.5", "'n2.5': n takes a whole number from 1 to 20"),
    ("rand-p1.5", "'p1.5': p takes a number from 0 to 1"),
    ("rand-tfoo", "'tfoo' names no set of operations"),
    ("rand-n20-tweights", "'n20' is more than the 15 operations of 'tweights'"),
    ("rand-w0", "'w0' is no longer a part of rand"), ("augmix-n2", "'n2' is no part of augmix"),
    ("augmix-a0", "'a0': a takes a number from 0.001 to 1000"),
    ("v0-m9", "'m9' is no part of v0"), ("trivial-m9", "'m9' is no part of trivial"),
    ("v1", "no policy is called 'v1'"), ("", "no policy is called ''"),
    ("rand-m9é", "'m9é': m takes a number from 0 to 100"),
  ])
  func aBadPartIsNamed(text: String, reason: String) throws {
    let problem = #expect(throws: PolicyProblem.self) { try AugmentPolicy(text) }
    #expect(problem?.reason == reason)
    #expect(problem?.advice.isEmpty == false)
    var values = HyperparameterValues()
    let error = #expect(throws: HyperparameterError.self) {
      try values.set("aa", to: .word(text))
    }
    #expect(error?.message == "aa cannot be '\(text)': \(reason)")
  }

  @Test func theMagnitudeOfRandAugmentCanBeSet() throws {
    var policy = try AugmentPolicy("rand-m5-n2")
    policy.setMagnitude(8.5)
    guard case .random(let choice) = policy.scheme else {
      Issue.record("\(policy)")
      return
    }
    #expect(choice.magnitude == 8.5 && policy.largestMagnitude == 10)
    policy.setMagnitude(15)
    #expect(policy.largestMagnitude == 15)
    var fixed = try AugmentPolicy("v0")
    fixed.setMagnitude(15)
    #expect(fixed == (try AugmentPolicy("v0")))
  }

  @Test func policiesDoNotDisturbCropAndFlips() throws {
    let key = SampleKey(seed: 1, epoch: 2, index: 3)
    var transform = TrainTransform(size: 8, normalization: .half)
    let plain = transform.draw(width: 40, height: 30, key: key)
    transform.policy = try AugmentPolicy("rand-m9")
    var expected = plain
    expected.color = nil
    #expect(transform.draw(width: 40, height: 30, key: key) == expected)
    transform.policy = try AugmentPolicy("3a")
    #expect(transform.draw(width: 40, height: 30, key: key) == plain)
  }

  @Test func everyPolicyTakesEveryPicture() throws {
    for text in AugmentPolicy.names {
      for size in [1, 2, 3, 9] {
        var transform = TrainTransform(size: size, normalization: .half)
        transform.policy = try AugmentPolicy(text)
        for index in 0..<40 {
          let image = DataFixtures.noise(width: 1 + index % 7, height: 1 + index % 4, seed: 3)
          let output = transform(image, key: SampleKey(seed: 4, epoch: 0, index: index))
          #expect(output.width == size)
        }
      }
    }
  }
}
