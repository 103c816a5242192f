import Foundation
import Kernels
import Testing

@testable import Model

/// A whole training of two epochs against PyTorch's: the same network, images, targets and rates.
struct TrainingCurveTests {
  private static let settings: [String: HyperparameterValue] = [
    "epochs": 2, "cooldown-epochs": 0, "warmup-epochs": 1, "warmup-lr": 0.005, "lr": 0.02,
    "batch-size": 32, "input-size": 32, "scale": [0.6, 1], "hflip": 0.0, "mixup": 0.2,
    "smoothing": 0.1, "weight-decay": 1e-4, "aa": "rand-m5-n1", "reprob": 0.2,
    "sched-on-updates": true, "workers": 2,
  ]

  private static func hyperparameters() throws -> Hyperparameters {
    var values = HyperparameterValues()
    for (name, value) in settings { try values.set(name, to: value) }
    return Hyperparameters(values, for: try Variant.named("tf_efficientnetv2_b0").preprocessing)
  }

  private static func network() throws -> Network {
    Network(
      try Blueprint(try Variant.named("tf_efficientnetv2_b0"), classCount: 10), seed: 42)
  }

  /// Losses that `Tests/Tools/make_curve_fixture.py` got from timm's network under PyTorch.
  private struct Curve: Decodable {
    let losses: [Double]
    let rates: [Double]
  }

  @Test func lossesArePyTorchsStepByStep() throws {
    let file = fixtureFolder("training").appending(path: "curve.json")
    let curve = try JSONDecoder().decode(Curve.self, from: Data(contentsOf: file))
    let folder = try TemporaryFolder()
    let trainer = try Trainer(
      network: Self.network(), data: TinyTraining.data(train: 512, test: 20),
      settings: Self.hyperparameters(), checkpoints: folder.checkpoints)
    var rates: [Double] = []
    var losses: [Double] = []
    _ = try trainer.run { event in
      guard case .step(let step) = event else { return }
      losses.append(step.loss)
      rates.append(step.learningRate)
    }
    #expect(losses.count == 32 && curve.losses.count == 32)
    for (step, (found, expected)) in zip(losses, curve.losses).enumerated() {
      #expect(abs(found - expected) <= 1e-3 * expected, "step \(step): \(found), \(expected)")
    }
    #expect(rates == curve.rates)
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
    try WeightWriter.write(Self.network(), to: folder.appending(path: "start.safetensors"))
    let (batch, pixels) = (settings.batchSize, 32 * 32 * 3)
    let targets = BatchTargets(capacity: batch)
    var (input, images) = ([Float](repeating: 0, count: batch * pixels), Data())
    var rows: [[Double]] = []
    var rates: [Double] = []
    for epoch in 0..<2 {
      let loader = BatchLoader(
        dataset: TinyTraining.data(train: 512, test: 20).train,
        recipes: settings.recipes(epoch: epoch), batchSize: batch, seed: settings.seed,
        epoch: epoch, shuffle: true, dropLast: true)
      for step in 0..<loader.batchCount {
        #expect(try loader.next(into: &input, targets: targets) == batch)
        input.withUnsafeBytes { images.append(contentsOf: $0) }
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
    try images.write(to: folder.appending(path: "images.f32"))
    let text = try JSONEncoder().encode(Stream(targets: rows, rates: rates))
    try text.write(to: folder.appending(path: "stream.json"))
  }

  private struct Stream: Encodable {
    let targets: [[Double]]
    let rates: [Double]
  }
}
