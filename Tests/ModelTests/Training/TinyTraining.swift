import Foundation
import Kernels

@testable import Model

/// A training that takes milliseconds: a network of three blocks on a few digits.
struct TinyTraining {
  var settings: [String: HyperparameterValue] = [
    "epochs": .integer(2), "cooldown-epochs": .integer(0), "warmup-epochs": .integer(1),
    "batch-size": .integer(8), "lr": .number(0.05), "threads": .integer(1),
    "workers": .integer(1), "scale": .numbers([0.6, 1]), "drop": .number(0.2),
  ]
  var trainImages = 32
  var testImages = 20
  var seed: UInt64 = 7

  static let variant = Variant(
    "tiny", summary: "for tests",
    shape: NetworkShape(
      stemChannels: 8,
      stages: [
        StageSpec(.convolution, repeats: 1, channels: 8, stride: 1, expansion: 1),
        StageSpec(.fused, repeats: 2, channels: 16, stride: 2, expansion: 4),
        StageSpec(
          .inverted, repeats: 2, channels: 24, stride: 2, expansion: 4,
          gate: .squeezeExcitation(ratio: 0.25)),
      ], headChannels: 32),
    padding: .same, normEpsilon: 1e-3, tags: [],
    untrained: Preprocessing(inputSize: 16, interpolation: .bilinear))

  static func network(classes: Int = 10, seed: UInt64 = 7) throws -> Network {
    Network(try Blueprint(variant, classCount: classes), seed: seed)
  }

  static func data(train: Int = 32, test: Int = 20) -> DataSource {
    let digits = Datasets.digits()
    return DataSource(
      name: "digits", train: subset(digits.train, train), test: subset(digits.test, test),
      files: digits.files)
  }

  private static func subset(_ dataset: any Dataset, _ count: Int) -> InMemoryDataset {
    let images = (0..<count).map { index -> ImageRGB in
      guard let image = try? dataset.image(index) else { preconditionFailure() }
      return image
    }
    return InMemoryDataset(
      name: dataset.name, classNames: dataset.classNames, width: 8, height: 8,
      pixels: images.flatMap(\.pixels), labels: (0..<count).map { UInt8(dataset.label($0)) })
  }

  var hyperparameters: Hyperparameters {
    get throws {
      var values = HyperparameterValues()
      for (key, value) in settings { try values.set(key, to: value) }
      return Hyperparameters(values, for: Self.variant.preprocessing)
    }
  }

  func trainer(
    in folder: TemporaryFolder, resuming: Checkpoint? = nil, stopAt: Int? = nil,
    stopAfter: Int? = nil, network: Network? = nil
  ) throws -> Trainer {
    try Trainer(
      network: network ?? Self.network(seed: seed),
      data: Self.data(train: trainImages, test: testImages), settings: hyperparameters,
      checkpoints: folder.checkpoints, resuming: resuming, stopAt: stopAt,
      stopAfter: stopAfter)
  }
}

/// A folder that disappears with its owner.
final class TemporaryFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appending(path: "wb-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  var checkpoints: CheckpointStore { CheckpointStore(folder: url.appending(path: "ckpt")) }
}

/// What of an epoch's report does not depend on the clock.
struct Row: Equatable {
  let epoch: Int
  let step: Int
  let rate: Double
  let loss: Double
  let evalLoss: Double?
  let top1: Double?
  let top5: Double?

  init(_ report: EpochReport) {
    epoch = report.epoch
    step = report.step
    rate = report.learningRate
    loss = report.trainLoss
    evalLoss = report.evaluation?.loss
    top1 = report.evaluation?.top1
    top5 = report.evaluation?.top5
  }
}

/// Runs a trainer and collects what it tells.
final class Listener {
  var rows: [Row] = []
  var losses: [Double] = []
  var events: [TrainingEvent] = []

  func run(
    _ trainer: Trainer, stopRequest: @escaping () -> StopRequest = { .none }
  ) throws -> TrainingOutcome {
    try trainer.run(stopRequest: stopRequest) { event in
      self.events.append(event)
      switch event {
      case .epochFinished(let report): self.rows.append(Row(report))
      case .step(let progress): self.losses.append(progress.loss)
      default: break
      }
    }
  }
}

extension TrainingOutcome {
  var finish: FinishReport? {
    if case .finished(let report) = self { return report }
    return nil
  }
  var stop: StopReport? {
    if case .stopped(let report) = self { return report }
    return nil
  }
  var divergence: DivergenceReport? {
    if case .diverged(let report) = self { return report }
    return nil
  }
}

extension Trainer {
  /// The optimizer's momentum.
  var momentum: [Float] {
    Array(
      UnsafeBufferPointer(
        start: step.optimizer.slots[0].values, count: network.parameters.table.weightExtent))
  }
}
