import Kernels
import Testing

@testable import Model

/// Training in stages, and the promise that no setting breaks: the same bits with any number of
/// threads and workers, stopped and resumed anywhere.
struct ProgressiveTrainingTests {
  private struct Ending: Equatable {
    let rows: [Row]
    let losses: [Double]
    let digest: String
    let slots: [[Float]]

    /// What differs first, in words.
    func difference(from other: Ending) -> String? {
      for (mine, theirs) in zip(losses, other.losses) where mine != theirs {
        return "losses \(mine) and \(theirs)"
      }
      for (mine, theirs) in zip(rows, other.rows) where mine != theirs {
        return "rows \(mine) and \(theirs)"
      }
      if digest != other.digest { return "weights" }
      return self == other ? nil : "the optimizer's slots, or the numbers of rows"
    }
  }

  /// Trains to the end, stopping and going on with other objects after the given steps.
  private static func ending(
    _ tiny: TinyTraining, threads: Int = 1, workers: Int = 1, stops: [Int] = []
  ) throws -> Ending {
    let folder = try TemporaryFolder()
    let listener = Listener()
    var tiny = tiny
    tiny.settings["threads"] = .integer(threads)
    tiny.settings["workers"] = .integer(workers)
    for (index, stop) in stops.enumerated() {
      let checkpoint = index == 0 ? nil : try folder.checkpoints.load(.last)
      let trainer = try tiny.trainer(in: folder, resuming: checkpoint, stopAt: stop)
      #expect(try listener.run(trainer).stop?.step == stop)
    }
    let last = stops.isEmpty ? nil : try folder.checkpoints.load(.last)
    tiny.seed = stops.isEmpty ? tiny.seed : 99
    let trainer = try tiny.trainer(in: folder, resuming: last)
    #expect(try listener.run(trainer).finish != nil)
    // What lies in the gaps between the tensors has no meaning, and no checkpoint holds it.
    let slots = trainer.step.optimizer.slots.map { slot in
      slot.tensors.flatMap { tensor in
        Array(
          UnsafeBufferPointer(
            start: slot.values + tensor.offset, count: tensor.shape.reduce(1, *)))
      }
    }
    return Ending(
      rows: listener.rows, losses: listener.losses, digest: trainer.network.weightDigest,
      slots: slots)
  }

  private static var progressive: TinyTraining {
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(6)
    tiny.settings["progressive"] = .word("paper")
    tiny.settings["stages"] = .integer(3)
    tiny.settings["stage-sizes"] = .numbers([9, 16])
    tiny.settings["stage-batch"] = .numbers([16, 10, 8])
    tiny.settings["stage-drop"] = .numbers([0, 0.4])
    return tiny
  }

  @Test func stagesAreToldAndTaken() throws {
    let folder = try TemporaryFolder()
    let listener = Listener()
    let trainer = try Self.progressive.trainer(in: folder)
    let finish = try #require(try listener.run(trainer).finish)
    // 32 images: 2, 3 and 4 steps an epoch, two epochs each.
    #expect(finish.step == 18)
    #expect(listener.rows.map(\.step) == [2, 4, 7, 10, 14, 18])
    let plans = listener.events.compactMap { event -> TrainingPlan? in
      if case .started(let plan) = event { plan } else { nil }
    }
    #expect(plans.map(\.stepsPerEpoch) == [2] && plans.map(\.stepRange) == [2...4])
    let told = listener.events.compactMap { event -> TrainingStage? in
      if case .stageEntered(let stage) = event { stage } else { nil }
    }
    #expect(told.map(\.number) == [1, 2, 3])
    #expect(told.map(\.inputSize) == [9, 12, 16])
    #expect(told.map(\.batchSize) == [16, 10, 8])
    #expect(told.map(\.dropout) == [0, 0.2, 0.4])
    #expect(trainer.step.graph.inputSize == 16 && trainer.step.graph.batch == 8)
  }

  @Test func stagesKeepTheBits() throws {
    let reference = try Self.ending(Self.progressive)
    for threads in 2...3 {
      #expect(try Self.ending(Self.progressive, threads: threads, workers: threads) == reference)
    }
    // Within each stage, and just before and just behind a change.
    for stop in [1, 3, 4, 5, 9, 10, 11, 17] {
      #expect(try Self.ending(Self.progressive, stops: [stop]) == reference, "stopped at \(stop)")
    }
    #expect(try Self.ending(Self.progressive, threads: 2, stops: [3, 4, 12]) == reference)
  }

  /// A network that comes into a stage from another one computes what it computes there from the
  /// start: nothing of the memory that the stages share matters.
  @Test func theMemoryOfAnotherStageDoesNotMatter() throws {
    let settings = try Self.progressive.hyperparameters
    let stages = settings.progression.stages
    func losses(through visited: [Int]) throws -> [Double] {
      let step = try TrainingStep(
        TinyTraining.network(), settings: settings, pool: ThreadPool(threads: 2))
      return visited.map { index -> Double in
        step.enter(stages[index])
        let graph = step.graph
        for pixel in 0..<graph.batch * graph.inputSize * graph.inputSize * 3 {
          step.input[pixel] = Float(pixel % 29) / 29 - 0.5
        }
        let result = step.run(StepKey(seed: 5), learningRate: 0, isAbandoned: { false })
        guard case .done(let loss) = result else { return .nan }
        return loss
      }
    }
    let direct = try [0, 1, 2].map { try losses(through: [$0])[0] }
    let mixed = try losses(through: [2, 0, 1, 0, 2, 1])
    #expect(mixed == [2, 0, 1, 0, 2, 1].map { direct[$0] })
  }

  @Test func sizesDrawnForEachStepKeepTheBits() throws {
    var tiny = TinyTraining()
    tiny.settings["progressive"] = .word("spread")
    tiny.settings["stages"] = .integer(3)
    tiny.settings["stage-sizes"] = .numbers([9, 16])
    tiny.settings["mixup"] = .number(0.5)
    tiny.settings["reprob"] = .number(0.5)
    tiny.settings["grad-accum-steps"] = .integer(2)
    let settings = try tiny.hyperparameters
    let drawn = Set(
      (0..<2).flatMap { epoch in
        (0..<2).map { settings.progression.stage(epoch: epoch, step: $0).inputSize }
      })
    #expect(drawn.count > 1)
    let reference = try Self.ending(tiny)
    #expect(try Self.ending(tiny, threads: 3, workers: 3) == reference)
    for stop in 1...3 { #expect(try Self.ending(tiny, stops: [stop]) == reference) }
  }

  @Test func theClassifierAloneKeepsTheBits() throws {
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(4)
    tiny.settings["head-epochs"] = .integer(2)
    tiny.settings["opt"] = .word("adamw")
    tiny.settings["lr"] = .number(1e-3)
    tiny.settings["model-ema"] = .flag(true)
    tiny.settings["model-ema-decay"] = .number(0.9)
    let reference = try Self.ending(tiny)
    #expect(try Self.ending(tiny, threads: 3, workers: 2) == reference)
    // Just before, at, and just behind the end of the eight steps of the classifier.
    for stop in [3, 7, 8, 9, 13] {
      #expect(try Self.ending(tiny, stops: [stop]) == reference, "stopped at \(stop)")
    }
  }

  /// Settings drawn at random from all that change the arithmetic or the order of things.
  @Test(arguments: 0..<24) func randomSettingsKeepTheBits(number: Int) throws {
    var random = CounterRandom(seed: 11, stream: .diagnostics, counters: UInt64(number))
    func pick<Value>(_ values: [Value]) -> Value { values[random.integer(below: values.count)] }
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(3)
    tiny.settings["seed"] = .integer(number)
    tiny.settings["sched"] = .word(pick(ScheduleRule.allCases).rawValue)
    tiny.settings["sched-on-updates"] = .flag(pick([true, false]))
    tiny.settings["lr-noise"] = pick([HyperparameterValue.none, .numbers([0.2, 0.9])])
    tiny.settings["patience-epochs"] = .integer(pick([0, 1]))
    tiny.settings["drop-path"] = .number(pick([0, 0.3]))
    tiny.settings["drop"] = .number(pick([0, 0.3]))
    tiny.settings["freeze"] = .word(pick(["none", "stem,blocks.0"]))
    tiny.settings["freeze-bn"] = .flag(pick([true, false]))
    tiny.settings["head-epochs"] = .integer(pick([0, 0, 1, 2]))
    tiny.settings["grad-checkpointing"] = .flag(pick([true, false]))
    tiny.settings["bce-loss"] = .flag(pick([true, false, false]))
    tiny.settings["opt"] = .word(pick(OptimizerChoice.allCases).rawValue)
    tiny.settings["lr"] = .number(1e-3)
    tiny.settings["grad-accum-steps"] = .integer(pick([1, 1, 3]))
    tiny.settings["clip-grad"] = pick([HyperparameterValue.none, .number(0.5)])
    tiny.settings["clip-mode"] = .word(pick(["norm", "value", "agc"]))
    tiny.settings["layer-decay"] = pick([HyperparameterValue.none, .number(0.8)])
    tiny.settings["layer-decay-min-scale"] = .number(pick([0, 0.5]))
    tiny.settings["layer-decay-no-opt-scale"] = pick([HyperparameterValue.none, .number(0.7)])
    tiny.settings["keep-best"] = .integer(pick([0, 2]))
    tiny.settings["model-ema"] = .flag(pick([true, false]))
    tiny.settings["aa"] = .word(
      pick(["none", "rand-m9-mstd0.5", "original", "augmix-m3", "trivial"]))
    tiny.settings["reprob"] = .number(pick([0, 0.7]))
    tiny.settings["remode"] = .word(pick(["const", "pixel"]))
    if tiny.settings["bce-loss"] == .flag(false), random.integer(below: 3) == 0 {
      tiny.settings["aug-splits"] = .integer(2)
      tiny.settings["jsd-loss"] = .flag(pick([true, false]))
    } else {
      tiny.settings["mixup"] = .number(pick([0, 0.4]))
      tiny.settings["cutmix"] = .number(pick([0, 1]))
      tiny.settings["mixup-mode"] = .word(pick(["batch", "pair", "elem", "half"]))
    }
    tiny.settings["no-aug"] = .flag(
      tiny.settings["aug-splits"] == nil && pick([true, false, false]))
    tiny.settings["progressive"] = .word(pick(["none", "paper", "google", "spread"]))
    tiny.settings["stages"] = .integer(2)
    tiny.settings["stage-sizes"] = .numbers([11, 16])
    let reference = try Self.ending(tiny)
    let steps = reference.losses.count
    let stop = 1 + random.integer(below: steps - 1)
    let ending = try Self.ending(
      tiny, threads: pick([2, 3, 4]), workers: pick([1, 2, 3]), stops: [stop])
    let difference = ending.difference(from: reference)
    #expect(difference == nil, "\(difference ?? ""), stopped at \(stop): \(tiny.settings)")
  }
}
