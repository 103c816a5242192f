import Kernels
import Testing

@testable import Model

/// Ten training steps have the same bits whatever the number of threads.
@Suite(.serialized)
struct TrainingBitsTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let model: String
    let batch: Int
    let size: Int
    var testDescription: String { "\(model), \(batch) images of \(size) px" }
  }

  @Test(
    "the same weights with 1, 2, 3 and 4 threads",
    arguments: [
      Case(model: "tf_efficientnetv2_b0", batch: 1, size: 64),
      Case(model: "tf_efficientnetv2_b0", batch: 2, size: 33),
      Case(model: "tf_efficientnetv2_b0", batch: 8, size: 48),
      Case(model: "tf_efficientnetv2_b3", batch: 3, size: 32),
      Case(model: "tf_efficientnetv2_s", batch: 2, size: 32),
      Case(model: "efficientnetv2_s", batch: 5, size: 32),
      Case(model: "efficientnetv2_rw_t", batch: 3, size: 31),
      Case(model: "efficientnetv2_rw_s", batch: 8, size: 32),
      Case(model: "efficientnet_b0", batch: 3, size: 32),
      Case(model: "tf_efficientnet_b1", batch: 5, size: 33),
      Case(model: "gc_efficientnetv2_rw_t", batch: 3, size: 32),
      Case(model: "vit_tiny_patch16_224", batch: 3, size: 48),
      Case(model: "vit_small_patch16_224", batch: 1, size: 224),
    ])
  func threads(_ test: Case) throws {
    let start = Network(try shortBlueprint(test.model), seed: 3)
    let untrained = try bits(of: start, test, ThreadPool(threads: 1))
    let trained = try (1...4).map { threads in
      let network = Network(uninitialized: start.blueprint)
      network.parameters.copyMatching(from: start.parameters)
      let pool = ThreadPool(threads: threads)
      try train(network, test, pool)
      return try bits(of: network, test, pool)
    }
    #expect(trained[0] != untrained)
    #expect(trained == Array(repeating: trained[0], count: 4))
  }

  /// The network with at most two blocks in a stage: one that changes the map, one that keeps it; two
  /// of a transformer.
  private func shortBlueprint(_ model: String) throws -> Blueprint {
    let variant = try Variant.named(model)
    let short: Variant
    switch variant.design {
    case .convolutional(var shape):
      for index in shape.stages.indices {
        shape.stages[index].repeats = min(2, shape.stages[index].repeats)
      }
      short = Variant(
        model, summary: "short", shape: shape, padding: variant.padding,
        normEpsilon: variant.normEpsilon, tags: [], untrained: variant.preprocessing)
    case .transformer(var shape):
      shape.depth = 2
      short = Variant(
        model, summary: "short", shape: shape, tags: [], untrained: variant.preprocessing)
    }
    return try Blueprint(short, classCount: 10)
  }

  private func train(_ network: Network, _ test: Case, _ pool: ThreadPool) throws {
    var values = HyperparameterValues()
    try values.set("batch-size", to: .integer(test.batch))
    try values.set("input-size", to: .integer(test.size))
    try values.set("drop", to: .number(0.2))
    try values.set("drop-path", to: .number(0.2))
    let settings = Hyperparameters(values, for: network.blueprint.variant.preprocessing)
    let step = try TrainingStep(network, settings: settings, pool: pool)
    for index in 0..<10 {
      fillRandom(step.input, count: test.batch * test.size * test.size * 3, seed: UInt64(index))
      for row in 0..<test.batch { step.targets.labels[row] = Int32((row + index) % 10) }
      let result = step.run(
        StepKey(seed: 7, epoch: 1, step: index), learningRate: 1e-3, isAbandoned: { false })
      guard case .done = result else {
        Issue.record("step \(index) is \(result)")
        return
      }
    }
  }

  /// A hash of the weights, the running statistics and what the network makes of two images.
  private func bits(of network: Network, _ test: Case, _ pool: ThreadPool) throws -> UInt64 {
    var hash = BitHash()
    hash.add(network.parameters.weights, network.parameters.table.weightExtent)
    hash.add(network.parameters.buffers, network.parameters.table.bufferExtent)
    let folded = try FoldedNetwork(network, maxBatch: 2, inputSize: test.size, pool: pool)
    fillRandom(folded.input, count: 2 * test.size * test.size * 3, seed: 1)
    hash.add(folded.run(batch: 2), 2 * 10)
    return hash.value
  }
}
