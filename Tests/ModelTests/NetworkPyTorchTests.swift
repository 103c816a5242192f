import Foundation
import Kernels
import Testing

@testable import Model

/// The engine against timm on PyTorch: logits, every gradient by name, running statistics, ten steps.
@Suite(.serialized)
struct NetworkPyTorchTests {
  /// The networks and how many of their ten recorded steps are taken.
  static let fixtures = [
    ("tf_efficientnetv2_b0", 10), ("efficientnetv2_rw_s", 10), ("efficientnetv2_rw_t", 3),
    ("tf_efficientnetv2_b3", 3), ("efficientnet_b0", 10), ("gc_efficientnetv2_rw_t", 3),
    ("vit_tiny_patch16_224", 10), ("mini_max", 10), ("mini_avgmax", 10), ("mini_catavgmax", 10),
  ]

  @Test("logits, gradients, statistics and ten steps are timm's", arguments: fixtures)
  func agreement(name: String, steps: Int) throws {
    let fixture = try NetworkFixture.load(name)
    let network = try fixture.network()
    try checkEvaluation(network, fixture)
    let step = try FixtureStep(network, fixture)
    for (index, expected) in fixture.losses.prefix(steps).enumerated() {
      let loss = step.run()
      if index == 0 {
        expectClose(step.logits, fixture.trainLogits, "training logits")
        try checkGradients(network, fixture)
        try checkStatistics(network, fixture)
      }
      let allowed = allowedLossError(fixture.lossNoise, step: index)
      #expect(
        abs(loss / expected - 1) < allowed, "loss \(index): \(loss), PyTorch \(expected)")
      step.update(first: index == 0)
    }
  }

  @Test(
    "gradients through maps that no cache holds are timm's",
    arguments: ["tf_efficientnetv2_b0", "efficientnetv2_rw_s", "efficientnet_b0"])
  func largeMaps(name: String) throws {
    let fixture = try NetworkFixture.load(name)
    let network = try fixture.network()
    func gradients(threads: Int) throws -> [Float] {
      try FixtureStep(network, fixture, threads: threads, cachedCount: 0).run()
      let store = network.parameters
      return Array(
        UnsafeBufferPointer(start: store.gradients, count: store.table.weightExtent))
    }
    let alone = try gradients(threads: 1)
    try checkGradients(network, fixture)
    #expect(try gradients(threads: 3) == alone)
  }

  /// The folded network's logits, for whole batches and parts of them.
  private func checkEvaluation(_ network: Network, _ fixture: NetworkFixture) throws {
    let folded = try FoldedNetwork(
      network, maxBatch: fixture.batch, inputSize: fixture.inputSize,
      pool: ThreadPool(threads: 2))
    fixture.fillImages(folded.input)
    for batch in [fixture.batch, 1, fixture.batch - 1, 2, 1] {
      let values = folded.run(batch: batch)
      let logits = (0..<batch).map { row in
        (0..<fixture.classes).map { Double(values[row * fixture.classes + $0]) }
      }
      expectClose(logits, Array(fixture.evalLogits.prefix(batch)), "logits of \(batch)")
    }
  }

  /// The gradient of every parameter, by its timm key.
  private func checkGradients(_ network: Network, _ fixture: NetworkFixture) throws {
    let entries = network.blueprint.parameters.entries.filter { $0.storage == .weights }
    for info in entries {
      let expected = try #require(fixture.gradients[info.path])
      let digest = TensorDigest(network.parameters.gradient(info), info)
      if info.role.layer == .contextAttention, info.role.part == .bias {
        // A softmax does not see what is added to all its arguments: this is rounding alone.
        let weight = try #require(
          fixture.gradients[info.path.replacing(".bias", with: ".weight")])
        #expect(digest.norm < 1e-4 * weight.norm, "gradient of \(info.path)")
        continue
      }
      let worst = digest.deviation(from: expected, factor: 6, floor: 2e-5)
      #expect(worst < 1, "gradient of \(info.path): \(worst) times what is allowed")
    }
    #expect(entries.count == fixture.gradients.count)
  }

  /// Every running mean and variance after one forward.
  private func checkStatistics(_ network: Network, _ fixture: NetworkFixture) throws {
    let entries = network.blueprint.parameters.entries.filter { $0.storage == .buffers }
    for info in entries {
      let expected = try #require(fixture.statistics[info.path])
      let digest = TensorDigest(network.parameters.values(info), info)
      let worst = digest.deviation(from: expected, factor: 6, floor: 1e-6)
      #expect(worst < 1, "\(info.path): \(worst) times what is allowed")
    }
    #expect(entries.count == fixture.statistics.count)
    for info in network.blueprint.parameters.entries where info.storage == .counters {
      #expect(network.parameters.counters[info.offset] == 1)
    }
  }

  private func expectClose(_ mine: [[Double]], _ theirs: [[Double]], _ what: String) {
    let scale = theirs.joined().map(abs).max() ?? 0
    for (row, (a, b)) in zip(mine, theirs).enumerated() {
      for (x, y) in zip(a, b) {
        #expect(abs(x - y) <= 1e-4 * scale, "\(what) of image \(row): \(x), PyTorch \(y)")
      }
    }
    #expect(mine.count == theirs.count)
  }
}

/// A network with the fixture's batch, and the plain SGD of the fixture.
final class FixtureStep {
  let graph: TrainingGraph
  private let fixture: NetworkFixture
  private let pool: ThreadPool
  private var losses: [Float]
  private var momentum: [Float]

  /// - Parameter cachedCount: the floats of a map that counts as cached.
  init(
    _ network: Network, _ fixture: NetworkFixture, threads: Int = 2,
    cachedCount: Int = TrainingLayout.cachedCount
  ) throws {
    pool = ThreadPool(threads: threads)
    let layout = try TrainingLayout(
      network.blueprint, batch: fixture.batch, inputSize: fixture.inputSize,
      isCheckpointing: false, dropPathRate: 0, freezing: .none,
      cachedCount: cachedCount, pool: pool)
    graph = TrainingGraph(
      network, layout, batch: fixture.batch, inputSize: fixture.inputSize, freezing: .none,
      memory: StepMemory(for: [layout]), pool: pool)
    self.fixture = fixture
    losses = Array(repeating: 0, count: fixture.batch)
    momentum = Array(repeating: 0, count: network.parameters.table.weightExtent)
    fixture.fillImages(graph.input)
  }

  var logits: [[Double]] {
    (0..<fixture.batch).map { row in
      (0..<fixture.classes).map { Double(graph.logits[row * fixture.classes + $0]) }
    }
  }

  /// One forward and backward; returns the mean loss.
  @discardableResult
  func run() -> Double {
    graph.forward()
    softmaxCrossEntropy(
      logits: graph.logits, labels: fixture.labels, n: fixture.batch, classes: fixture.classes,
      smoothing: Float(fixture.smoothing), logitGradient: graph.logitGradient, losses: &losses,
      pool: pool)
    graph.backward()
    return losses.reduce(0) { $0 + Double($1) } / Double(losses.count)
  }

  /// One step of SGD on both groups.
  func update(first: Bool) {
    let store = graph.network.parameters
    for (range, decay) in [
      (store.table.decayingRange, fixture.weightDecay), (store.table.plainRange, 0),
    ] {
      momentum.withUnsafeMutableBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        let start = range.lowerBound
        sgdUpdate(
          UpdateRun(
            weights: store.weights + start, gradients: store.gradients + start,
            first: base + start, second: base + start, count: range.count),
          learningRate: Float(fixture.learningRate), momentum: Float(fixture.momentum),
          weightDecay: Float(decay), nesterov: true, firstStep: first, pool: pool)
      }
    }
  }
}
