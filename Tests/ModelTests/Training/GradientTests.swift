import Foundation
import Kernels
import Testing

@testable import Model

/// What happens to gradients and weights around a rule: clipping, accumulation, layer decay, the
/// running mean.
struct GradientTests {
  private struct Clipping: Decodable {
    let limit: Double
    let gradients: [String: NetworkFixture.Digest]
  }

  private struct Layers: Decodable {
    struct Average: Decodable {
      let decay: Double
      let warmsUp: Bool
      let decays: [String: Double]
    }
    let layers: [String: [Int]]
    let averages: [Average]
  }

  @Test("clipped gradients are timm's, with the same bits for any number of threads")
  func clipping() throws {
    let fixtures: [String: Clipping] = try OptimizerFixture.load("clipping")
    #expect(Set(fixtures.keys) == Set(ClippingMode.allCases.map(\.rawValue)))
    for (name, fixture) in fixtures {
      let mode = try #require(ClippingMode(rawValue: name))
      let bits = try (1...3).map { threads in
        let bag = TensorBag()
        bag.setGradients(step: 0)
        let before = bag.weights.map(bag.store.gradient)
        GradientClipping(ClippingSettings(mode: mode, limit: fixture.limit), for: try bag.target())
          .run(ThreadPool(threads: threads))
        try bag.check(fixture.gradients, name, bag.store.gradient)
        let after = bag.weights.map(bag.store.gradient)
        #expect(after != before)
        #expect((after.suffix(2) == before.suffix(2)) == (mode == .agc))
        return after
      }
      #expect(bits[1] == bits[0] && bits[2] == bits[0])
    }
  }

  @Test func gradientsWithinTheLimitKeepTheirBits() throws {
    for mode in ClippingMode.allCases {
      let bag = TensorBag()
      bag.setGradients(step: 0)
      let before = bag.weights.map(bag.store.gradient)
      GradientClipping(ClippingSettings(mode: mode, limit: 100), for: try bag.target())
        .run(ThreadPool(threads: 1))
      #expect(bag.weights.map(bag.store.gradient) == before)
    }
  }

  @Test func theLastBatchTurnsSumsIntoMeans() throws {
    let bag = TensorBag()
    let pool = ThreadPool(threads: 2)
    let accumulator = GradientAccumulator(bag.store)
    for round in 0..<2 {
      var expected = bag.weights.map { [Double](repeating: 0, count: $0.count) }
      for index in 0..<3 {
        bag.setGradients(step: 3 * round + index)
        for (place, info) in bag.weights.enumerated() {
          for (element, value) in bag.store.gradient(info).enumerated() {
            expected[place][element] += Double(value) / 3
          }
        }
        #expect(accumulator.add(BatchPart(index: index, count: 3), pool: pool) == (index == 2))
      }
      for (info, means) in zip(bag.weights, expected) {
        for (value, mean) in zip(bag.store.gradient(info), means) {
          #expect(abs(Double(value) - mean) < 1e-7)
        }
      }
    }
    bag.setGradients(step: 1)
    let before = bag.weights.map(bag.store.gradient)
    #expect(accumulator.add(.whole, pool: pool))
    #expect(bag.weights.map(bag.store.gradient) == before)
  }

  @Test("every tensor is in the layer where timm has it")
  func layers() throws {
    let fixture: Layers = try OptimizerFixture.load("layers")
    for (model, expected) in fixture.layers {
      let table = try Blueprint(Variant.named(model), classCount: 10).parameters
      #expect(LayerScales.layers(of: table).map(\.layer) == expected, "\(model)")
    }
  }

  @Test func groupsHaveTheRatesOfTheirLayers() throws {
    for model in ["tf_efficientnetv2_b0", "vit_tiny_patch16_224"] {
      let table = try Blueprint(Variant.named(model), classCount: 10).parameters
      let freezing = try Freezing(FreezeRule("blocks.1,*.bias", fixesNorms: false), table)
      let groups = UpdateGroup.all(of: table, freezing, layerDecay: 0.7)
      let plain = UpdateGroup.all(of: table, freezing)
      #expect(groups.count > plain.count)
      #expect(groups.reduce(0) { $0 + $1.range.count } == plain.reduce(0) { $0 + $1.range.count })
      let layers = LayerScales.layers(of: table)
      let last = try #require(layers.map(\.layer).max())
      for (info, layer) in layers {
        let holding = groups.filter { $0.range.contains(info.offset) }
        guard let group = holding.first else {
          #expect(info.path.hasPrefix("blocks.1.") || info.path.hasSuffix(".bias"))
          continue
        }
        #expect(holding.count == 1)
        #expect(group.decays == info.decays)
        #expect(abs(group.rateScale / pow(0.7, Double(last - layer)) - 1) < 1e-12, "\(info.path)")
        #expect(group.range.contains(info.offset + info.count - 1))
      }
    }
  }

  @Test func theDecayOfTheAverageIsTimms() throws {
    let fixture: Layers = try OptimizerFixture.load("layers")
    for average in fixture.averages {
      let settings = AverageSettings(decay: average.decay, warmsUp: average.warmsUp)
      for (step, expected) in average.decays {
        let step = try #require(Int(step))
        #expect(abs(settings.decay(atStep: step) - expected) < 1e-12, "step \(step)")
      }
    }
  }

  @Test func theAverageFollowsWeightsAndStatistics() throws {
    let network = try TinyTraining.network()
    let store = network.parameters
    let pool = ThreadPool(threads: 2)
    let average = WeightAverage(of: network, AverageSettings(decay: 0.75, warmsUp: false))
    var weight = 0.0
    for step in 1...4 {
      store.weights.update(repeating: Float(step), count: store.table.weightExtent)
      store.buffers.update(repeating: Float(-step), count: store.table.bufferExtent)
      store.counters[0] = Int64(step)
      average.update(step: step, pool: pool)
      weight = step == 1 ? 1 : 0.75 * weight + 0.25 * Double(step)
      #expect(abs(Double(average.parameters.weights[5]) - weight) < 1e-6)
      #expect(abs(Double(average.parameters.buffers[3]) + weight) < 1e-6)
      #expect(average.parameters.counters[0] == Int64(step))
    }
    let mean = average.parameters.weights[5]
    average.replacing(pool) {
      #expect(store.weights[5] == mean)
      #expect(average.parameters.weights[5] == 4)
    }
    #expect(store.weights[5] == 4)
    #expect(average.parameters.weights[5] == mean)
  }
}
