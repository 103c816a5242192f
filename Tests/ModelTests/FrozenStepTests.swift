import Foundation
import Kernels
import Testing

@testable import Model

/// What timm computed for one partly frozen network; written by
/// Tests/Tools/make_freezing_fixtures.py.
private struct FreezingFixture: Decodable {
  let model: String
  let freeze: String
  let fixesNorms: Bool
  let batch: Int
  let inputSize: Int
  let classes: Int
  let gain: Double
  let learningRate: Double
  let frozenCount: Int
  let trainLogits: [[Double]]
  let losses: [Double]
  let lossNoise: [Double]
  let gradients: [String: NetworkFixture.Digest]
  let weights: [String: NetworkFixture.Digest]
  let statistics: [String: NetworkFixture.Digest]
}

/// A training step of which a part is frozen: PyTorch's numbers, the bits of what is frozen, threads.
@Suite(.serialized)
struct FrozenStepTests {
  /// A step on the formula's images.
  private final class Step {
    let step: TrainingStep
    let network: Network

    init(
      _ network: Network, freeze: String, fixesNorms: Bool, batch: Int, size: Int,
      threads: Int = 2, others: [String: HyperparameterValue] = [:]
    ) throws {
      var values = HyperparameterValues()
      for (key, value) in others { try values.set(key, to: value) }
      try values.set("freeze", to: .word(freeze))
      try values.set("freeze-bn", to: .flag(fixesNorms))
      try values.set("batch-size", to: .integer(batch))
      try values.set("input-size", to: .integer(size))
      let settings = Hyperparameters(values, for: network.blueprint.variant.preprocessing)
      step = try TrainingStep(network, settings: settings, pool: ThreadPool(threads: threads))
      self.network = network
      fillFormulaImages(step.input, count: batch, size: size)
      for row in 0..<batch { step.targets.labels[row] = Int32((7 * row + 3) % 10) }
    }

    func run(_ index: Int, rate: Double) -> Double {
      let result = step.run(
        StepKey(seed: 7, epoch: 1, step: index), learningRate: rate, isAbandoned: { false })
      guard case .done(let loss) = result else {
        Issue.record("step \(index) is \(result)")
        return .nan
      }
      return loss
    }
  }

  @Test(
    "a partly frozen network computes what timm's does",
    arguments: ["front", "back", "moving", "norms", "transformer"])
  func agreement(name: String) throws {
    let file = fixtureFolder("freezing").appendingPathComponent("\(name).json")
    let fixture = try JSONDecoder().decode(FreezingFixture.self, from: Data(contentsOf: file))
    let blueprint = try Blueprint(Variant.named(fixture.model), classCount: fixture.classes)
    let network = Network(uninitialized: blueprint)
    fillByFormula(network, gain: fixture.gain)
    let store = network.parameters
    let rule = FreezeRule(fixture.freeze, fixesNorms: fixture.fixesNorms)
    let frozen = try rule.frozen(in: store.table)
    #expect(frozen.count == fixture.frozenCount)
    let before = frozen.map { ($0, store.values(store.table.entries[$0])) }

    let step = try Step(
      network, freeze: fixture.freeze, fixesNorms: fixture.fixesNorms, batch: fixture.batch,
      size: fixture.inputSize)
    for (index, expected) in fixture.losses.enumerated() {
      let loss = step.run(index, rate: fixture.learningRate)
      let allowed = allowedLossError(fixture.lossNoise, step: index)
      #expect(abs(loss / expected - 1) < allowed, "loss \(index): \(loss), PyTorch \(expected)")
      if index == 0 {
        checkLogits(step, fixture)
        try check(fixture.gradients, "gradient", floor: 2e-5, network, store.gradient)
        for place in frozen {
          let info = store.table.entries[place]
          #expect(store.gradient(info).allSatisfy { $0 == 0 }, "\(info.path)")
        }
      }
    }
    // What a step moves is far smaller than what it moves, so that rounding of the sum shows too.
    try check(fixture.weights, "weight", floor: 1e-5, network, store.values)
    try check(fixture.statistics, "statistics", floor: 1e-5, network, store.values)
    for (place, values) in before {
      let info = store.table.entries[place]
      #expect(store.values(info) == values, "\(info.path) moved")
    }
    let momentum = step.step.optimizer.slots[0].values
    for place in frozen {
      #expect(store.table.entries[place].range.allSatisfy { momentum[$0] == 0 })
    }
  }

  private func checkLogits(_ step: Step, _ fixture: FreezingFixture) {
    let scale = fixture.trainLogits.joined().map(abs).max() ?? 0
    let logits = step.step.graph.logits
    for (index, expected) in fixture.trainLogits.joined().enumerated() {
      #expect(abs(Double(logits[index]) - expected) <= 1e-4 * scale, "logit \(index)")
    }
  }

  private func check(
    _ expected: [String: NetworkFixture.Digest], _ what: String, floor: Double,
    _ network: Network, _ values: (ParameterInfo) -> [Float]
  ) throws {
    for (path, digest) in expected {
      let info = try #require(network.blueprint.parameters[path])
      let worst = TensorDigest(values(info), info).deviation(
        from: digest, factor: 6, floor: floor)
      #expect(worst < 1, "\(what) of \(path): \(worst) times what is allowed")
    }
  }

  @Test("constant statistics keep their bits, others move, and so do the counters")
  func statistics() throws {
    let blueprint = try Blueprint(Variant.named("efficientnet_b0"), classCount: 10)
    for fixesNorms in [true, false] {
      let network = Network(blueprint, seed: 3)
      let store = network.parameters
      let before = store.table.entries.map(store.values)
      let step = try Step(
        network, freeze: "stem,blocks.0..2,blocks.4.0.bn2.weight", fixesNorms: fixesNorms,
        batch: 3, size: 32)
      for index in 0..<2 { _ = step.run(index, rate: 0.01) }
      for (info, old) in zip(store.table.entries, before) where info.storage != .weights {
        let starts = ["bn1.", "blocks.0.", "blocks.1.", "blocks.2."]
        let isFixed = fixesNorms && starts.contains { info.path.hasPrefix($0) }
        #expect((store.values(info) == old) == isFixed, "\(info.path)")
      }
    }
  }

  @Test(
    "the same bits with 1, 2 and 3 threads, kept or computed again",
    arguments: [
      ("efficientnet_b0", "blocks.1..3,*.se", true),
      ("tf_efficientnetv2_b0", "stem,blocks.0", true),
      ("gc_efficientnetv2_rw_t", "blocks.2..4", false), ("tf_efficientnetv2_b0", "backbone", true),
      ("vit_tiny_patch16_224", "stem,blocks.0..3,blocks.9.mlp", false),
    ])
  func threads(model: String, freeze: String, fixesNorms: Bool) throws {
    let start = Network(try Blueprint(Variant.named(model), classCount: 10), seed: 3)
    let hashes = try [(1, false), (2, false), (3, false), (2, true)].map { threads, isAgain in
      let network = Network(uninitialized: start.blueprint)
      network.parameters.copyMatching(from: start.parameters)
      let step = try Step(
        network, freeze: freeze, fixesNorms: fixesNorms, batch: 3, size: 32, threads: threads,
        others: [
          "drop": .number(0.2), "drop-path": .number(0.2), "grad-checkpointing": .flag(isAgain),
        ])
      for index in 0..<3 { _ = step.run(index, rate: 0.01) }
      return network.weightDigest
    }
    #expect(hashes[0] != start.weightDigest)
    #expect(hashes == Array(repeating: hashes[0], count: 4))
  }

  /// A norm that averages over nothing needs no second value.
  @Test func oneImageOfOnePixelTrainsUnderConstantStatistics() throws {
    let network = Network(
      try Blueprint(Variant.named("tf_efficientnetv2_b0"), classCount: 10), seed: 3)
    let step = try Step(network, freeze: "backbone", fixesNorms: true, batch: 1, size: 32)
    #expect(step.run(0, rate: 0.01).isFinite)
    #expect(throws: ArchitectureError.singleValuePerChannel(inputSize: 32)) {
      try Step(network, freeze: "backbone", fixesNorms: false, batch: 1, size: 32)
    }
  }
}
