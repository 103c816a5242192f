import Foundation
import Kernels
import Testing

@testable import Model

/// Whole trainings with every rule, with a running mean and with accumulated gradients: stopped
/// anywhere and resumed, they end with the same bits.
struct OptimizerResumeTests {
  /// What a training leaves behind.
  private struct Result: Equatable {
    let digest: String
    let slots: [[Float]]
    let average: [Float]
    let rows: [Row]
    let losses: [Double]

    init(_ trainer: Trainer, _ listeners: [Listener]) {
      digest = trainer.network.weightDigest
      slots = trainer.step.optimizer.slots.map { slot in
        // What lies between the tensors of a slot is not saved.
        slot.tensors.flatMap { tensor in
          UnsafeBufferPointer(
            start: slot.values + tensor.offset, count: tensor.shape.reduce(1, *))
        }
      }
      average =
        trainer.step.average.map { average in
          let store = average.parameters
          return store.table.entries.flatMap(store.values)
        } ?? []
      rows = listeners.flatMap(\.rows)
      losses = listeners.flatMap(\.losses)
    }
  }

  private func training(_ changes: [String: HyperparameterValue]) -> TinyTraining {
    var training = TinyTraining()
    training.settings["lr"] = .number(0.002)
    training.settings.merge(changes) { $1 }
    return training
  }

  private func whole(_ training: TinyTraining) throws -> (Result, Trainer) {
    let folder = try TemporaryFolder()
    let listener = Listener()
    let trainer = try training.trainer(in: folder)
    _ = try #require(try listener.run(trainer).finish)
    return (Result(trainer, [listener]), trainer)
  }

  private func resumed(_ training: TinyTraining, at stop: Int) throws -> Result {
    let folder = try TemporaryFolder()
    let (first, second) = (Listener(), Listener())
    let stopped = try training.trainer(in: folder, stopAt: stop)
    #expect(try first.run(stopped).stop?.step == stop)
    let trainer = try training.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    _ = try #require(try second.run(trainer).finish)
    return Result(trainer, [first, second])
  }

  @Test("stopped and resumed, every rule ends with the same bits", arguments: OptimizerTests.rules)
  func rules(_ choice: OptimizerChoice) throws {
    let training = training([
      "opt": .word(choice.rawValue), "opt-betas": .numbers([0.9, 0.99]),
      "layer-decay": .number(0.8), "clip-grad": .number(1),
    ])
    let (reference, _) = try whole(training)
    #expect(reference.losses.count == 8)
    var random = CounterRandom(
      seed: 5, stream: .diagnostics, counters: UInt64(reference.losses[7].bitPattern & 0xFFFF))
    for stop in [1 + random.integer(below: 7), 6] {
      #expect(try resumed(training, at: stop) == reference, "stopped at \(stop)")
    }
  }

  @Test("a running mean and accumulated gradients survive a stop anywhere")
  func average() throws {
    var training = training([
      "opt": .word("lookahead_adamw"), "model-ema": .flag(true),
      "model-ema-decay": .number(0.9), "model-ema-warmup": .flag(true),
      "grad-accum-steps": .integer(3), "clip-grad": .number(0.02), "clip-mode": .word("agc"),
    ])
    training.trainImages = 40  // five batches of 8: steps of three and of two
    let (reference, trainer) = try whole(training)
    #expect(reference.losses.count == 4)
    #expect(trainer.state.step == 4)
    #expect(reference.average.isEmpty == false)
    for stop in 1...3 {
      #expect(try resumed(training, at: stop) == reference, "stopped at \(stop)")
    }
  }

  @Test("a stop while the mean is evaluated leaves the weights themselves")
  func stopInEvaluation() throws {
    let training = training(["model-ema": .flag(true), "model-ema-decay": .number(0.9)])
    let (reference, _) = try whole(training)
    let folder = try TemporaryFolder()
    let (first, second) = (Listener(), Listener())
    let stopped = try first.run(training.trainer(in: folder)) {
      // The first evaluation of an epoch is that of the weights, the second that of their mean.
      let evaluations = first.events.count { event in
        if case .evaluating = event { true } else { false }
      }
      return evaluations < 2 ? .none : .finishBatch
    }
    #expect(stopped.stop?.reason == .requested && stopped.stop?.epochStep == 4)
    #expect(first.rows.isEmpty)
    let trainer = try training.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    _ = try #require(try second.run(trainer).finish)
    #expect(Result(trainer, [first, second]) == reference)
  }

  @Test("what is reported is the mean's evaluation, beside the weights' own")
  func evaluation() throws {
    let training = training([
      "model-ema": .flag(true), "model-ema-decay": .number(0.9), "lr": .number(0.05),
    ])
    let folder = try TemporaryFolder()
    let listener = Listener()
    let trainer = try training.trainer(in: folder)
    let finish = try #require(try listener.run(trainer).finish)
    let reports = listener.events.compactMap { event -> EpochReport? in
      if case .epochFinished(let report) = event { report } else { nil }
    }
    let last = try #require(reports.last)
    let checkpoint = try folder.checkpoints.load(.last)
    #expect(checkpoint.holdsAverage)
    let evaluator = try Evaluator(trainer.network, settings: training.hyperparameters)
    let test = TinyTraining.data().test
    for (weights, expected) in [
      (Checkpoint.Weights.averaged, last.evaluation), (.raw, last.rawEvaluation),
    ] {
      try checkpoint.restore(into: trainer.network, weights)
      let found = try #require(try evaluator.run(test))
      #expect(found.loss == expected?.loss)
    }
    #expect(last.evaluation?.loss != last.rawEvaluation?.loss)
    #expect(finish.best?.value == reports.compactMap { $0.evaluation?.top1 }.max())
  }

  @Test("accumulating two batches without norms and dropout is one batch of twice the size")
  func accumulation() throws {
    // Frozen norms use their running statistics: then a batch is no more than its images.
    let common: [String: HyperparameterValue] = [
      "drop": .number(0), "smoothing": .number(0), "freeze-bn": .flag(true), "epochs": .integer(1),
      "lr": .number(0.05),
    ]
    let (large, _) = try whole(training(common.merging(["batch-size": .integer(16)]) { $1 }))
    let (small, trainer) = try whole(
      training(
        common.merging(["batch-size": .integer(8), "grad-accum-steps": .integer(2)]) { $1 }))
    #expect(small.losses.count == 2 && large.losses.count == 2)
    for (a, b) in zip(small.losses, large.losses) { #expect(abs(a - b) < 1e-5) }
    #expect(trainer.state.step == 2)
  }

  @Test func accumulationIsCountedInSteps() throws {
    let settings = try training(["grad-accum-steps": .integer(3)]).hyperparameters
    let stage = settings.progression.stage(epoch: 0)
    #expect(settings.stepsPerEpoch(images: 8 * 7 + 5, in: stage) == 3)
    #expect(settings.stepsPerEpoch(images: 8, in: stage) == 1)
    #expect(throws: HyperparameterError.batchLargerThanData(batch: 8, images: 7)) {
      try settings.checkBatches(images: 7)
    }
  }

  @Test func anotherRuleCannotGoOn() throws {
    let folder = try TemporaryFolder()
    let trainer = try training([:]).trainer(in: folder, stopAt: 2)
    _ = try Listener().run(trainer)
    #expect(throws: TrainingError.self) {
      try training(["opt": .word("adam")]).trainer(
        in: folder, resuming: folder.checkpoints.load(.last))
    }
    #expect(throws: TrainingError.self) {
      try training(["grad-accum-steps": .integer(2)]).trainer(
        in: folder, resuming: folder.checkpoints.load(.last))
    }
    // A running mean may begin at any time: it begins at the weights of the checkpoint.
    let checkpoint = try folder.checkpoints.load(.last)
    #expect(!checkpoint.holdsAverage)
    let averaged = try training(["model-ema": .flag(true)]).trainer(
      in: folder, resuming: checkpoint)
    let average = try #require(averaged.step.average)
    #expect(average.parameters.weights[0] == averaged.network.parameters.weights[0])
  }
}
