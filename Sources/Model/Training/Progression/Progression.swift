import Foundation
import Kernels

/// The stages of a training and which of them holds when; one stage where there is no progression.
///
/// Tan and Le, "EfficientNetV2: Smaller Models and Faster Training", ICML 2021, algorithm 1, and
/// google's code, which takes sizes at (i + 1) / stages of the way instead of i / (stages - 1).
public struct Progression: Sendable, Equatable {
  /// The stages, from small images to large ones.
  public let stages: [TrainingStage]
  /// How a stage is drawn for each step; nil where the epoch decides.
  private let window: SpreadWindow?

  /// Plans the stages of a training that takes so many epochs, the last of them the cool-down.
  init(_ values: HyperparameterValues, inputSize: Int, totalEpochs: Int, cooldownEpochs: Int) {
    let rule = values.progressionRule
    let ramped = max(1, totalEpochs - cooldownEpochs)
    // A training of fewer epochs than stages still ends with the largest images.
    let count = rule == .none ? 1 : min(values.integer("stages"), rule == .spread ? .max : ramped)
    let sizes = values.numbers("stage-sizes") ?? Self.sizes(upTo: inputSize)
    let batches = rule.ramps ? values.numbers("stage-batch") : nil
    func ramp(_ key: String, _ index: Int) -> Double? {
      guard rule.ramps, let ends = values.numbers(key) else { return nil }
      return Self.ramp(ends, count == 1 ? 1 : Double(index) / Double(count - 1))
    }
    func size(_ index: Int) -> Int {
      guard rule != .none else { return inputSize }
      let isAhead = rule == .google || count == 1
      let share =
        isAhead ? Double(index + 1) / Double(count) : Double(index) / Double(count - 1)
      return Int(Self.ramp(sizes, share))
    }
    func start(_ index: Int) -> Int { index == count ? totalEpochs : index * ramped / count }
    // Where stages are left out, batch sizes are picked as the sizes are: from first to last.
    let planned = max(values.integer("stages"), count)
    func batchSize(_ index: Int) -> Int {
      guard let batches else { return values.integer("batch-size") }
      let place = count == 1 ? planned - 1 : index * (planned - 1) / (count - 1)
      return Int(batches[min(place, batches.count - 1)])
    }
    let versions = max(1, values.integer("aug-splits"))
    let halves = AugmentationSettings.halves(values)
    stages = (0..<count).map { index in
      let batch = batchSize(index)
      return TrainingStage(
        number: index + 1, count: count,
        epochs: rule == .spread ? 0..<totalEpochs : start(index)..<start(index + 1),
        inputSize: size(index),
        batchSize: batch, rows: halves ? batch / 2 : batch * versions,
        loadedRows: batch * versions,
        dropout: ramp("stage-drop", index) ?? values.number("drop"),
        magnitude: ramp("stage-magnitude", index),
        mixup: ramp("stage-mixup", index) ?? values.number("mixup"),
        cutmix: ramp("stage-cutmix", index) ?? values.number("cutmix"))
    }
    window =
      rule == .spread
      ? SpreadWindow(
        count: count, epochs: totalEpochs, deviation: values.number("stage-spread"),
        randomShare: values.number("stage-random-mix"), seed: UInt64(values.integer("seed")))
      : nil
  }

  /// Whether there is more than one stage.
  public var isProgressive: Bool { stages.count > 1 }
  /// Whether a stage is drawn for each step.
  public var isDrawnPerStep: Bool { window != nil }

  /// The stage of a step.
  public func stage(epoch: Int, step: Int = 0) -> TrainingStage {
    if let window { return stages[window.choice(epoch: epoch, step: step)] }
    return stages.first { $0.epochs.contains(epoch) } ?? stages[stages.count - 1]
  }

  /// The shares of the stages among the steps of an epoch.
  public func shares(epoch: Int) -> [Double] {
    if let window { return window.weights(epoch: epoch) }
    let current = stage(epoch: epoch)
    return stages.map { $0 == current ? 1 : 0 }
  }

  /// Half of a size, in whole multiples of the network's stride, up to the size.
  private static func sizes(upTo size: Int) -> [Double] {
    [Double(min(size, max(32, (size / 2 + 31) / 32 * 32))), Double(size)]
  }

  private static func ramp(_ ends: [Double], _ share: Double) -> Double {
    ends[0] + (ends[1] - ends[0]) * share
  }
}

/// A window over the sizes that moves from the first to the last as the epochs pass, as timm's
/// `ScheduledBatchSampler`: a normal curve around the place where the epoch stands, mixed with
/// uniform draws.
struct SpreadWindow: Sendable, Equatable {
  let count: Int
  let epochs: Int
  /// The standard deviation, in sizes.
  let deviation: Double
  /// The share of draws for which the window does not count.
  let randomShare: Double
  let seed: UInt64
  /// The probabilities of the sizes, epoch by epoch: a step must not reckon them anew.
  private let table: [[Double]]

  /// Opens the window over so many sizes for a training of so many epochs.
  init(count: Int, epochs: Int, deviation: Double, randomShare: Double, seed: UInt64) {
    self.count = count
    self.epochs = epochs
    self.deviation = deviation
    self.randomShare = randomShare
    self.seed = seed
    table = (0..<epochs).map {
      Self.weights(
        epoch: $0, of: epochs, count: count, deviation: deviation, randomShare: randomShare)
    }
  }

  /// The probability of each size in an epoch; the last epoch's behind the end.
  func weights(epoch: Int) -> [Double] { table[min(epoch, epochs - 1)] }

  private static func weights(
    epoch: Int, of epochs: Int, count: Int, deviation: Double, randomShare: Double
  ) -> [Double] {
    let progress = epochs == 1 ? 1 : min(Double(epoch) / Double(epochs - 1), 1)
    let center = progress * Double(count - 1)
    let distances = (0..<count).map { abs(Double($0) - center) }
    let nearest = distances.min() ?? 0
    let window = distances.map {
      deviation == 0 ? ($0 == nearest ? 1 : 0) : exp(-0.5 * ($0 / deviation) * ($0 / deviation))
    }
    let total = window.reduce(0, +)
    return window.map {
      (1 - randomShare) * (total > 0 ? $0 / total : 0) + randomShare / Double(count)
    }
  }

  /// The size of a step.
  func choice(epoch: Int, step: Int) -> Int {
    var random = CounterRandom(
      seed: seed, stream: .stages, counters: UInt64(epoch), UInt64(step))
    var left = random.uniform()
    for (index, weight) in weights(epoch: epoch).enumerated() {
      left -= weight
      if left < 0 { return index }
    }
    return count - 1
  }
}
