import Foundation
import Kernels
import Testing

@testable import Model

/// Running statistics that are estimated anew.
struct NormRecalibrationTests {
  /// What torch.optim.swa_utils.update_bn made of timm's network; written by
  /// Tests/Tools/make_recalibration_fixture.py.
  private struct Fixture: Decodable {
    let model: String
    let batch, inputSize, batches: Int
    let gain: Double
    let logits: [[Double]]
    let logitNoise: Double
    let statistics: [String: NetworkFixture.Digest]
  }

  @Test func statisticsAreThoseOfPyTorch() throws {
    let file = fixtureFolder("training").appending(path: "recalibration.json")
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: file))
    let (batch, size) = (fixture.batch, fixture.inputSize)
    let network = Network(
      uninitialized: try Blueprint(Variant.named(fixture.model), classCount: 10))
    fillByFormula(network, gain: fixture.gain)
    var values = HyperparameterValues()
    try values.set("batch-size", to: .integer(batch))
    try values.set("input-size", to: .integer(size))
    // Neither is any business of the estimate.
    try values.set("drop-path", to: .number(0.5))
    try values.set("bn-momentum", to: .number(0.7))
    let pool = ThreadPool(threads: 2)
    let recalibration = try NormRecalibration(
      network, settings: Hyperparameters(values, for: network.blueprint.variant.preprocessing),
      pool: pool)
    let done = try recalibration.run(batches: fixture.batches) { index in
      fillFormulaImages(recalibration.input, count: batch, size: size, first: index * batch)
      return true
    }
    #expect(done == fixture.batches)
    let store = network.parameters
    var count = 0
    for info in store.table.entries {
      if info.storage == .counters { #expect(store.counters[info.offset] == 3) }
      guard info.storage == .buffers else { continue }
      let expected = try #require(fixture.statistics[info.path])
      let deviation = TensorDigest(store.values(info), info)
        .deviation(from: expected, factor: 8, floor: 2e-6)
      #expect(deviation <= 1, "\(info.path): \(deviation)")
      count += 1
    }
    #expect(count == fixture.statistics.count)

    let folded = try FoldedNetwork(network, maxBatch: batch, inputSize: size, pool: pool)
    fillFormulaImages(folded.input, count: batch, size: size)
    let logits = folded.run(batch: batch)
    let expected = fixture.logits.flatMap { $0 }
    let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
    for (index, value) in expected.enumerated() {
      #expect(abs(Double(logits[index]) - value) <= (8 * fixture.logitNoise + 1e-6) * length)
    }
  }

  private static func tiny(threads: Int, workers: Int) throws -> Hyperparameters {
    var tiny = TinyTraining()
    tiny.settings["threads"] = .integer(threads)
    tiny.settings["workers"] = .integer(workers)
    tiny.settings["mixup"] = .number(1)
    return try tiny.hyperparameters
  }

  private static func digest(
    threads: Int = 1, workers: Int = 1, batches: Int = 3, spoiled: Bool = false
  ) throws -> String {
    let network = try TinyTraining.network()
    if spoiled {
      let store = network.parameters
      store.buffers.update(repeating: .nan, count: store.table.bufferExtent)
    }
    let settings = try tiny(threads: threads, workers: workers)
    let recalibration = try NormRecalibration(
      network, settings: settings, pool: ThreadPool(threads: threads))
    let done = try recalibration.run(TinyTraining.data().train, batches: batches) { _, _ in true }
    #expect(done == min(batches, 4))
    return network.weightDigest
  }

  @Test func theResultDependsOnNothingElse() throws {
    let reference = try Self.digest()
    #expect(try Self.digest(threads: 3, workers: 3) == reference)
    #expect(try Self.digest(spoiled: true) == reference)
    #expect(try Self.digest(batches: 2) != reference)
    #expect(try Self.digest(batches: 4) == Self.digest(batches: 400))
  }

  @Test func aStopLeavesTheNetworkAsItWas() throws {
    let network = try TinyTraining.network()
    let before = network.weightDigest
    let recalibration = try NormRecalibration(
      network, settings: Self.tiny(threads: 1, workers: 1), pool: ThreadPool(threads: 1))
    let done = try recalibration.run(TinyTraining.data().train, batches: 3) { done, _ in done < 2 }
    #expect(done == nil && network.weightDigest == before)
  }

  @Test func aTransformerHasNoStatistics() throws {
    let variant = try Variant.named("vit_tiny_patch16_224")
    let network = Network(uninitialized: try Blueprint(variant, classCount: 10))
    #expect(throws: TrainingError.noBatchNorm(variant.qualifiedName)) {
      try NormRecalibration(
        network, settings: Self.tiny(threads: 1, workers: 1), pool: ThreadPool(threads: 1))
    }
  }
}
