import Foundation
import Kernels
import Testing

@testable import Model

/// Networks for images of other than three channels.
struct InputChannelsTests {
  /// What timm computed with weights that its adapt_input_conv made from those of three channels;
  /// written by Tests/Tools/make_channels_fixture.py.
  private struct Case: Decodable {
    let model: String
    let channels, batch, inputSize: Int
    let gain: Double
    let first: String
    let stem: NetworkFixture.Digest
    let logits: [[Double]]
    let logitNoise, loss: Double
    let gradients: [String: NetworkFixture.Digest]

    var variant: Variant {
      get throws { try model == "mini" ? MiniNetwork.variant(head: 40) : Variant.named(model) }
    }
  }

  private static func cases() throws -> [Case] {
    let file = fixtureFolder("network").appending(path: "channels.json")
    return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
  }

  @Test func networksComputeWhatTimmsDo() throws {
    let cases = try Self.cases()
    #expect(cases.map(\.channels) == [1, 2, 4, 7, 1])
    let pool = ThreadPool(threads: 2)
    for test in cases {
      let three = Network(uninitialized: try Blueprint(test.variant, classCount: 10))
      fillByFormula(three, gain: test.gain)
      let network = try three.taking(channels: test.channels)
      let (batch, size, channels) = (test.batch, test.inputSize, test.channels)
      let store = network.parameters
      let filters = network.blueprint.firstFilters
      #expect(filters.path == test.first)
      let stem = TensorDigest(store.values(filters), filters)
        .deviation(from: test.stem, factor: 1, floor: 1e-7)
      #expect(stem <= 1, "\(test.model) \(channels)")

      let folded = try FoldedNetwork(network, maxBatch: batch, inputSize: size, pool: pool)
      fillFormulaImages(folded.input, count: batch, size: size, channels: channels)
      let logits = folded.run(batch: batch)
      let expected = test.logits.flatMap { $0 }
      let length = expected.reduce(0) { $0 + $1 * $1 }.squareRoot()
      for (index, value) in expected.enumerated() {
        #expect(abs(Double(logits[index]) - value) <= (8 * test.logitNoise + 1e-6) * length)
      }

      let graph = try TrainingGraph(network, batch: batch, inputSize: size, pool: pool)
      fillFormulaImages(graph.input, count: batch, size: size, channels: channels)
      graph.forward()
      let labels = (0..<batch).map { Int32((7 * $0 + 3) % 10) }
      var losses = [Float](repeating: 0, count: batch)
      softmaxCrossEntropy(
        logits: graph.logits, labels: labels, n: batch, classes: 10, smoothing: 0.1,
        logitGradient: graph.logitGradient, losses: &losses, pool: pool)
      graph.backward()
      let loss = losses.reduce(0) { $0 + Double($1) } / Double(batch)
      #expect(abs(loss - test.loss) < 1e-5 * test.loss)
      for info in store.table.entries where info.storage == .weights {
        let values = Array(
          UnsafeBufferPointer(start: store.gradients + info.offset, count: info.count))
        let wanted = try #require(test.gradients[info.path])
        let deviation = TensorDigest(values, info).deviation(from: wanted, factor: 8, floor: 3e-6)
        #expect(deviation <= 1, "\(test.model) \(channels) \(info.path): \(deviation)")
      }
    }
  }

  /// On gray images the filters' sums give what the three filters give, where mean and deviation are
  /// the same for all channels.
  @Test func oneChannelIsThreeEqualOnes() throws {
    let variant = MiniNetwork.variant(head: 40)
    let three = Network(uninitialized: try Blueprint(variant, classCount: 10))
    fillByFormula(three, gain: 4)
    let one = try three.taking(channels: 1)
    let gray = [[0.5], [0.25]]
    let colors = [[0.5, 0.5, 0.5], [0.25, 0.25, 0.25]]
    let pool = ThreadPool(threads: 1)
    func evaluation(_ network: Network, _ statistics: [[Double]]) throws -> [Float] {
      let transform = EvalTransform(
        size: 16, cropFraction: 1, interpolation: .bilinear,
        normalization: PixelNormalization(mean: statistics[0], deviation: statistics[1]))
      let evaluator = try Evaluator(network, transform: transform, workers: 1, pool: pool)
      var logits: [Float] = []
      _ = try evaluator.run(TinyTraining.data().test) { _, _ in
        true
      } visit: { _, _, row in
        logits += row
      }
      return logits
    }
    let (expected, found) = (try evaluation(three, colors), try evaluation(one, gray))
    #expect(found.count == 200)
    for (a, b) in zip(expected, found) { #expect(abs(a - b) < 2e-4 * max(1, abs(a))) }
  }

  @Test func brightnessIsThatOfPillow() {
    let normalization = PixelNormalization(mean: [0.4], deviation: [0.5])
    // Pillow's convert("L") of these colours.
    let colors: [(UInt8, UInt8, UInt8, Float)] = [
      (0, 0, 0, 0), (255, 255, 255, 255), (255, 0, 0, 76), (0, 255, 0, 150), (0, 0, 255, 29),
      (17, 17, 17, 17), (200, 100, 50, 124),
    ]
    var output = [Float](repeating: 0, count: colors.count)
    normalization.apply(
      colors.flatMap { [$0.0, $0.1, $0.2] }, pixelCount: colors.count, into: &output)
    for (color, found) in zip(colors, output) {
      #expect(found == (color.3 - Float(0.4 * 255)) / Float(0.5 * 255))
    }
  }

  @Test func meanAndDeviationFollowTheChannels() throws {
    let gray = try Variant.named("tf_efficientnetv2_b0").taking(channels: 1)
    #expect(abs(gray.preprocessing.mean[0] - 0.449) < 1e-9 && gray.preprocessing.mean.count == 1)
    #expect(gray.loadText == "tf_efficientnetv2_b0 in-chans=1")
    var values = HyperparameterValues()
    try values.set("mean", to: .numbers([0.1, 0.2, 0.6]))
    #expect(
      Hyperparameters(values, for: gray.preprocessing).preprocessing.mean.map {
        ($0 * 10).rounded()
      }
        == [3])
    try values.set("mean", to: .numbers([0.5]))
    let colors = try Variant.named("tf_efficientnetv2_b0").preprocessing
    #expect(Hyperparameters(values, for: colors).preprocessing.mean == [0.5, 0.5, 0.5])
    try values.set("mean", to: .numbers([0.5, 0.4]))
    #expect(values.conflict != nil)
    #expect(throws: ArchitectureError.inputChannels(0)) { try gray.taking(channels: 0) }
    let many = Network(uninitialized: try Blueprint(gray.taking(channels: 5), classCount: 10))
    #expect(throws: ArchitectureError.noPictures(5)) {
      try Evaluator(
        many, transform: EvalTransform(many.blueprint.variant.preprocessing), workers: 1,
        pool: ThreadPool(threads: 1))
    }
  }

  /// A file of three channels serves one channel, and a file of one channel says so itself.
  @Test func filesAreAdaptedAndRecognized() throws {
    let folder = try TemporaryFolder()
    let variant = try Variant.named("tf_efficientnetv2_b0")
    let network = Network(try Blueprint(variant, classCount: 10), seed: 3)
    let file = folder.url.appending(path: "three.safetensors")
    try WeightWriter.write(network, to: file)
    let gray = try variant.taking(channels: 1)
    let (loaded, report) = try WeightLoader.load(
      gray, from: file, head: .keep, seed: 1, strict: true)
    #expect(loaded.weightDigest == (try network.taking(channels: 1)).weightDigest)
    #expect(report.notes.contains { $0.contains("from 3 channels to 1") })

    let second = folder.url.appending(path: "one.pth")
    try WeightWriter.write(loaded, to: second, as: .torch)
    let opened = try WeightFile.open(second)
    #expect(opened.inputChannels(of: variant) == 1)
    let again = try WeightLoader.load(gray, from: second, head: .keep, seed: 1, strict: true)
    #expect(again.network.weightDigest == loaded.weightDigest)
    #expect(throws: WeightError.self) {
      try WeightLoader.load(variant, from: second, head: .keep, seed: 1, strict: true)
    }
    #expect(
      WeightContents(opened).variants.contains { $0.contains("tf_efficientnetv2_b0 in-chans=1") })
    let configuration = HubConfiguration(loaded, gray.preprocessing)
    try configuration.write(beside: second)
    let text = try String(contentsOf: HubConfiguration.url(beside: second), encoding: .utf8)
    #expect(text.contains("\"in_chans\" : 1"))
  }

  @Test func trainingKeepsTheBits() throws {
    func digest(threads: Int, stop: Int?) throws -> String {
      var tiny = TinyTraining()
      tiny.settings["threads"] = .integer(threads)
      tiny.settings["reprob"] = .number(0.5)
      let folder = try TemporaryFolder()
      let variant = try TinyTraining.variant.taking(channels: 1)
      func trainer(_ checkpoint: Checkpoint?, _ stop: Int?) throws -> Trainer {
        var values = HyperparameterValues()
        for (key, value) in tiny.settings { try values.set(key, to: value) }
        return try Trainer(
          network: Network(Blueprint(variant, classCount: 10), seed: 7), data: TinyTraining.data(),
          settings: Hyperparameters(values, for: variant.preprocessing),
          checkpoints: folder.checkpoints, resuming: checkpoint, stopAt: stop)
      }
      if let stop { _ = try Listener().run(trainer(nil, stop)) }
      let last = try trainer(stop.map { _ in try folder.checkpoints.load(.last) }, nil)
      _ = try Listener().run(last)
      #expect(last.state.inputChannels == 1)
      if stop != nil {
        #expect(throws: TrainingError.self) {
          try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
        }
      }
      return last.network.weightDigest
    }
    let reference = try digest(threads: 1, stop: nil)
    #expect(try digest(threads: 3, stop: 5) == reference)
  }
}
