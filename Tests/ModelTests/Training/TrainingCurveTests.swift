import Foundation
import Kernels
import Testing

@testable import Model

/// A whole training of two epochs against PyTorch's: the same network, images, targets and rates, step
/// by step.
///
/// The network is the smallest with a block of each kind. In a deep one a batch norm behind every
/// convolution turns the rounding of one step into percents of the loss a few steps later, in PyTorch's
/// single precision against its own double precision as well as here.
struct TrainingCurveTests {
  private static let settings: [String: HyperparameterValue] = [
    "epochs": 2, "cooldown-epochs": 0, "warmup-epochs": 1, "warmup-lr": 0.05, "lr": 0.2,
    "batch-size": 32, "input-size": 32, "scale": [0.8, 1], "hflip": 0.0, "mixup": 0.1,
    "smoothing": 0.1, "weight-decay": 1e-4, "sched-on-updates": true, "workers": 2,
  ]

  private static func hyperparameters() throws -> Hyperparameters {
    var values = HyperparameterValues()
    for (name, value) in settings { try values.set(name, to: value) }
    return Hyperparameters(values, for: MiniNetwork.variant().preprocessing)
  }

  /// Losses that Tests/Tools/make_curve_fixture.py got from timm's network under PyTorch.
  private struct Curve: Decodable {
    let losses: [Double]
    let rates: [Double]
    let evalLoss: Double
  }

  @Test func lossesArePyTorchsStepByStep() throws {
    let file = fixtureFolder("training").appending(path: "curve.json")
    let curve = try JSONDecoder().decode(Curve.self, from: Data(contentsOf: file))
    let network = Network(
      uninitialized: try Blueprint(MiniNetwork.variant(head: 40), classCount: 10))
    fillByFormula(network, gain: 4)
    let folder = try TemporaryFolder()
    let trainer = try Trainer(
      network: network, data: TinyTraining.data(train: 512, test: 64),
      settings: Self.hyperparameters(), checkpoints: folder.checkpoints)
    var rates: [Double] = []
    var losses: [Double] = []
    let outcome = try trainer.run { event in
      guard case .step(let step) = event else { return }
      losses.append(step.loss)
      rates.append(step.learningRate)
    }
    #expect(losses.count == 32 && curve.losses.count == 32)
    for (step, (found, expected)) in zip(losses, curve.losses).enumerated() {
      #expect(abs(found - expected) <= 5e-4 * expected, "step \(step): \(found), \(expected)")
    }
    #expect(rates == curve.rates)
    let (early, late) = (curve.losses.prefix(8).reduce(0, +), curve.losses.suffix(8).reduce(0, +))
    #expect(late < 0.97 * early, "the curve goes down")
    let last = try #require(outcome.finish?.last)
    #expect(abs(last.loss - curve.evalLoss) <= 5e-4 * curve.evalLoss)
  }

  /// Writes what the fixture's script needs into the folder that `WORKBENCH_CURVE_FOLDER` names.
  @Test(
    .enabled(
      if: ProcessInfo.processInfo.environment["WORKBENCH_CURVE_FOLDER"] != nil,
      "only writes the fixture's input"))
  func writeTheStream() throws {
    let path = ProcessInfo.processInfo.environment["WORKBENCH_CURVE_FOLDER"] ?? ""
    let folder = URL(fileURLWithPath: path)
    let settings = try Self.hyperparameters()
    let data = TinyTraining.data(train: 512, test: 64)
    let (batch, pixels) = (settings.batchSize, 32 * 32 * 3)
    let targets = BatchTargets(capacity: 64)
    var (input, images) = ([Float](repeating: 0, count: 64 * pixels), Data())
    var rows: [[Double]] = []
    var rates: [Double] = []
    for epoch in 0..<2 {
      let loader = BatchLoader(
        dataset: data.train, recipes: settings.recipes(epoch: epoch), batchSize: batch,
        seed: settings.seed, epoch: epoch, shuffle: true, dropLast: true)
      for step in 0..<loader.batchCount {
        #expect(try loader.next(into: &input, targets: targets) == batch)
        input.prefix(batch * pixels).withUnsafeBytes { images.append(contentsOf: $0) }
        for row in 0..<batch {
          rows.append([
            Double(targets.labels[row]), Double(targets.partners[row]), Double(targets.shares[row]),
          ])
        }
        rates.append(
          settings.schedule.rate(
            at: SchedulePosition(epoch: epoch, step: step, stepsPerEpoch: loader.batchCount)))
      }
    }
    let test = BatchLoader(
      dataset: data.test, transform: settings.evalTransform, batchSize: 64, seed: 0, epoch: 0,
      shuffle: false, dropLast: false)
    #expect(try test.next(into: &input, targets: targets) == 64)
    input.withUnsafeBytes { images.append(contentsOf: $0) }
    let labels = (0..<64).map { Int(targets.labels[$0]) }
    try images.write(to: folder.appending(path: "images.f32"))
    let text = try JSONEncoder().encode(Stream(targets: rows, rates: rates, testLabels: labels))
    try text.write(to: folder.appending(path: "stream.json"))
  }

  private struct Stream: Encodable {
    let targets: [[Double]]
    let rates: [Double]
    let testLabels: [Int]
  }
}
