import Foundation
import Kernels
import Testing

@testable import Model

struct TrainerTests {
  /// A whole run without interruption: what every other way to the end must equal.
  private struct Reference {
    let rows: [Row]
    let losses: [Double]
    let digest: String
    let momentum: [Float]
    let best: BestEpoch?

    init(_ tiny: TinyTraining) throws {
      let folder = try TemporaryFolder()
      let listener = Listener()
      let trainer = try tiny.trainer(in: folder)
      let finish = try #require(try listener.run(trainer).finish)
      rows = listener.rows
      losses = listener.losses
      digest = trainer.network.weightDigest
      momentum = trainer.momentum
      best = finish.best
    }
  }

  @Test func aRunReportsItselfInOrder() throws {
    let folder = try TemporaryFolder()
    let listener = Listener()
    let outcome = try listener.run(TinyTraining().trainer(in: folder))
    let finish = try #require(outcome.finish)
    #expect(finish.epochs == 2 && finish.step == 8 && !finish.isCutShort)
    #expect(listener.rows.map(\.epoch) == [1, 2])
    #expect(listener.rows.map(\.step) == [4, 8])
    #expect(listener.losses.count == 8)
    let mean = listener.losses[..<4].reduce(0, +) / 4
    #expect(abs(listener.rows[0].loss - mean) < 1e-12)
    #expect(listener.rows[0].rate == 1e-4)
    let names = listener.events.map(Self.name)
    #expect(names.first == "started" && names[1] == "checkpoint" && names.last == "finished")
    let epoch = try #require(names.firstIndex(of: "epoch"))
    #expect(names[epoch...(epoch + 2)] == ["epoch", "best", "checkpoint"])
    guard case .started(let plan) = listener.events[0] else {
      Issue.record("the first event is the plan")
      return
    }
    #expect(plan.totalEpochs == 2 && plan.stepsPerEpoch == 4 && plan.segment == 1)
    #expect(plan.trainImages == 32 && plan.testImages == 20 && plan.workspaceBytes > 0)
    #expect(finish.best?.epoch == listener.rows.first { $0.top1 == finish.best?.value }?.epoch)
    #expect(folder.checkpoints.epochs == [2, 1, 0])
  }

  @Test(arguments: [1, 2, 3])
  func threadsAndWorkersChangeNoBit(workers: Int) throws {
    var tiny = TinyTraining()
    let reference = try Reference(tiny)
    tiny.settings["workers"] = .integer(workers)
    tiny.settings["threads"] = .integer(workers == 3 ? 4 : 2)
    let other = try Reference(tiny)
    #expect(other.rows == reference.rows)
    #expect(other.digest == reference.digest)
    #expect(other.momentum == reference.momentum)
  }

  /// Stops by request, as Ctrl-C does, after every step of the run, and goes on with other objects.
  @Test func stoppingAnywhereChangesNoBit() throws {
    try expectSameBits(of: TinyTraining(), stoppedAt: 1...8)
  }

  @Test func stoppingAPartlyFrozenTrainingChangesNoBit() throws {
    var tiny = TinyTraining()
    tiny.settings["freeze"] = .word("stem,blocks.1,*.se")
    tiny.settings["freeze-bn"] = .flag(true)
    try expectSameBits(of: tiny, stoppedAt: 2...5)
    #expect(throws: HyperparameterError.frozenNothing("blocks.7", nearest: [])) {
      tiny.settings["freeze"] = .word("blocks.7")
      do {
        _ = try tiny.trainer(in: TemporaryFolder())
      } catch HyperparameterError.frozenNothing(let pattern, let nearest) {
        #expect(nearest.contains("blocks.1"))
        throw HyperparameterError.frozenNothing(pattern, nearest: [])
      }
    }
  }

  private func expectSameBits(of tiny: TinyTraining, stoppedAt stops: ClosedRange<Int>) throws {
    let reference = try Reference(tiny)
    for stop in stops {
      let folder = try TemporaryFolder()
      let first = Listener()
      var steps = 0
      let stopped = try first.run(tiny.trainer(in: folder)) {
        // Asked twice a step: within it and after it.
        steps += 1
        return steps >= 2 * stop ? .finishBatch : .none
      }
      let report = try #require(stopped.stop)
      #expect(report.step == stop && report.reason == .requested)
      #expect(report.epoch == (stop - 1) / 4 + 1 && report.epochStep == (stop - 1) % 4 + 1)

      let second = Listener()
      var other = tiny
      other.seed = 99
      other.settings["threads"] = .integer(2)
      let trainer = try other.trainer(in: folder, resuming: folder.checkpoints.load(.last))
      let finish = try #require(try second.run(trainer).finish)
      #expect(first.rows + second.rows == reference.rows, "stopped at \(stop)")
      #expect(first.losses + second.losses == reference.losses, "stopped at \(stop)")
      #expect(trainer.network.weightDigest == reference.digest, "stopped at \(stop)")
      #expect(trainer.momentum == reference.momentum, "stopped at \(stop)")
      #expect(finish.best == reference.best)
      #expect(trainer.state.segment == 2)
    }
  }

  @Test func stopAtIsTheStateOfAStopByHand() throws {
    let tiny = TinyTraining()
    let byHand = try TemporaryFolder()
    var steps = 0
    _ = try Listener().run(tiny.trainer(in: byHand)) {
      steps += 1
      return steps >= 12 ? .finishBatch : .none
    }
    let byScript = try TemporaryFolder()
    let outcome = try Listener().run(tiny.trainer(in: byScript, stopAt: 6))
    #expect(outcome.stop == StopReport(reason: .stopAt, epoch: 2, epochStep: 2, step: 6))
    func tensors(_ folder: TemporaryFolder) throws -> (String, TrainingState) {
      let network = try TinyTraining.network(seed: 1)
      let checkpoint = try folder.checkpoints.load(.last)
      try checkpoint.restore(into: network)
      var state = checkpoint.state
      (state.seconds, state.epochSeconds) = (0, 0)
      state.lastEvaluation = nil
      return (network.weightDigest, state)
    }
    let (first, second) = (try tensors(byHand), try tensors(byScript))
    #expect(first.0 == second.0)
    #expect(first.1 == second.1)
    #expect(throws: TrainingError.stopBehind(stopAt: 5, step: 6)) {
      try tiny.trainer(in: byScript, resuming: byScript.checkpoints.load(.last), stopAt: 5)
    }
  }

  /// Dropped in its third epoch, a training is back behind the second, whose row is told.
  @Test func stopAfterIsTheStateOfATrainingThatWasDropped() throws {
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(4)
    let (byHand, byScript) = (try TemporaryFolder(), try TemporaryFolder())
    let first = Listener()
    var questions = 0
    let dropped = try first.run(tiny.trainer(in: byHand)) {
      // Within the tenth step.
      questions += first.losses.count == 9 ? 1 : 0
      return questions > 1 ? .abandon : .none
    }
    let second = Listener()
    let outcome = try second.run(tiny.trainer(in: byScript, stopAfter: 2))
    #expect(dropped.stop == StopReport(reason: .abandoned, epoch: 3, epochStep: 0, step: 8))
    #expect(outcome.stop == StopReport(reason: .stopAfter, epoch: 3, epochStep: 0, step: 8))
    func digest(_ folder: TemporaryFolder) throws -> String {
      let network = try TinyTraining.network(seed: 1)
      try folder.checkpoints.load(.last).restore(into: network)
      return network.weightDigest
    }
    #expect(try digest(byHand) == digest(byScript))
    #expect(second.rows.map(\.step) == [4, 8] && first.rows.map(\.step) == [4, 8])
    // Dropped again before an epoch was done, it is where it was.
    let last = try byScript.checkpoints.load(.last)
    let again = try tiny.trainer(in: byScript, resuming: last, stopAfter: 2)
    #expect(try Listener().run(again).stop?.step == 8)
    #expect(throws: TrainingError.stopAfterBehind(epoch: 1, done: 2)) {
      try tiny.trainer(in: byScript, resuming: last, stopAfter: 1)
    }
  }

  /// Dropped in its first epoch, a training is back at its beginning, and a script can say that.
  @Test func aTrainingCanStopBeforeItsFirstStep() throws {
    let tiny = TinyTraining()
    let folder = try TemporaryFolder()
    let outcome = try Listener().run(tiny.trainer(in: folder, stopAt: 0))
    #expect(outcome.stop == StopReport(reason: .stopAt, epoch: 1, epochStep: 0, step: 0))
    // Stopped again before a step was done, it is where it was.
    let again = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last), stopAt: 0)
    #expect(try Listener().run(again).stop?.step == 0)
    let rest = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    _ = try Listener().run(rest)
    let whole = try TemporaryFolder()
    _ = try Listener().run(tiny.trainer(in: whole))
    let (first, second) = (
      try TinyTraining.network(seed: 1), try TinyTraining.network(seed: 2)
    )
    try folder.checkpoints.load(.last).restore(into: first)
    try whole.checkpoints.load(.last).restore(into: second)
    #expect(first.weightDigest == second.weightDigest)
  }

  /// A process that dies leaves its folder as it was at some moment, such as between an epoch's row
  /// and its checkpoint.
  @Test func aKilledRunGoesOnFromItsLastCheckpoint() throws {
    let tiny = TinyTraining()
    let reference = try Reference(tiny)
    for epoch in [1, 2] {
      let folder = try TemporaryFolder()
      let copy = try TemporaryFolder()
      _ = try tiny.trainer(in: folder).run { event in
        guard case .epochFinished(let report) = event, report.epoch == epoch else { return }
        try FileManager.default.copyItem(
          at: folder.checkpoints.folder, to: copy.checkpoints.folder)
      }
      let checkpoint = try copy.checkpoints.load(.last)
      #expect(checkpoint.state.completedEpochs == epoch - 1)
      let listener = Listener()
      let trainer = try tiny.trainer(in: copy, resuming: checkpoint)
      _ = try listener.run(trainer)
      #expect(listener.rows == Array(reference.rows[(epoch - 1)...]))
      #expect(trainer.network.weightDigest == reference.digest)
    }
  }

  @Test func anInterruptedEvaluationIsRepeated() throws {
    let tiny = TinyTraining()
    let reference = try Reference(tiny)
    let folder = try TemporaryFolder()
    let listener = Listener()
    var isEvaluating = false
    let trainer = try tiny.trainer(in: folder)
    let outcome = try trainer.run(stopRequest: { isEvaluating ? .finishBatch : .none }) { event in
      if case .evaluating = event { isEvaluating = true }
    }
    #expect(outcome.stop == StopReport(reason: .requested, epoch: 1, epochStep: 4, step: 4))
    let resumed = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    _ = try listener.run(resumed)
    #expect(listener.rows == reference.rows)
    #expect(resumed.network.weightDigest == reference.digest)
  }

  @Test func abandoningGoesBackToTheLastCheckpoint() throws {
    let tiny = TinyTraining()
    let folder = try TemporaryFolder()
    let trainer = try tiny.trainer(in: folder)
    let before = trainer.network.weightDigest
    var calls = 0
    let outcome = try Listener().run(trainer) {
      calls += 1
      // The third question comes in the middle of the second step.
      return calls == 3 ? .abandon : .none
    }
    #expect(outcome.stop == StopReport(reason: .abandoned, epoch: 1, epochStep: 0, step: 0))
    #expect(trainer.network.weightDigest == before)
    #expect(trainer.state.step == 0)
  }

  @Test func divergenceKeepsTheLastFiniteState() throws {
    var tiny = TinyTraining()
    tiny.settings["lr"] = .number(1e30)
    let folder = try TemporaryFolder()
    let listener = Listener()
    let trainer = try tiny.trainer(in: folder)
    let outcome = try listener.run(trainer)
    let report = try #require(outcome.divergence)
    #expect(report.epoch == 2)
    #expect(report.step > 4)
    #expect(report.restored.epoch == 1)
    #expect(listener.rows.count == 1)
    #expect(trainer.state.completedEpochs == 1 && trainer.state.step == 4)
    let kept = try TinyTraining.network(seed: 1)
    try folder.checkpoints.load(.last).restore(into: kept)
    #expect(kept.weightDigest == trainer.network.weightDigest)
    let store = kept.parameters
    #expect((0..<store.table.weightExtent).allSatisfy { store.weights[$0].isFinite })
    #expect((0..<store.table.bufferExtent).allSatisfy { store.buffers[$0].isFinite })
    let error = TrainingError.diverged(report)
    #expect(error.kind == .diverged)
    #expect(error.message.hasPrefix("training diverged at epoch 2, step "))
  }

  @Test func maxStepsEndsWithinAnEpochAndCanBeExtended() throws {
    var tiny = TinyTraining()
    let reference = try Reference(tiny)
    tiny.settings["max-steps"] = .integer(6)
    let folder = try TemporaryFolder()
    let listener = Listener()
    let outcome = try listener.run(tiny.trainer(in: folder))
    let finish = try #require(outcome.finish)
    #expect(finish.isCutShort && finish.step == 6 && finish.epochs == 1)
    #expect(listener.rows.map(\.epoch) == [1, 2])
    #expect(listener.rows[0] == reference.rows[0])
    #expect(listener.rows[1].step == 6)

    tiny.settings["max-steps"] = HyperparameterValue.none
    let resumed = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    let second = Listener()
    _ = try second.run(resumed)
    #expect(second.rows == [reference.rows[1]])
    #expect(resumed.network.weightDigest == reference.digest)
  }

  @Test func moreEpochsFollowTheNewSchedule() throws {
    var tiny = TinyTraining()
    let folder = try TemporaryFolder()
    _ = try Listener().run(tiny.trainer(in: folder))
    tiny.settings["epochs"] = .integer(4)
    let resumed = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    let listener = Listener()
    _ = try listener.run(resumed)
    #expect(listener.rows.map(\.epoch) == [3, 4])
    let preview = try tiny.hyperparameters.schedule.preview
    #expect(listener.rows.map(\.rate) == preview[2...].map(\.rate))
    #expect(resumed.state.parameters["epochs"] == .integer(4))
    // Nothing is left to do: it ends at once and says so.
    let again = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    #expect(try Listener().run(again).finish?.step == 16)
  }

  @Test func timeLimitStopsResumably() throws {
    var tiny = TinyTraining()
    tiny.settings["time-limit"] = .number(1e-9)
    let folder = try TemporaryFolder()
    let outcome = try Listener().run(tiny.trainer(in: folder))
    #expect(outcome.stop == StopReport(reason: .timeLimit, epoch: 1, epochStep: 1, step: 1))
    #expect(try folder.checkpoints.load(.last).state.step == 1)
  }

  @Test func evaluationAndCheckpointsKeepTheirIntervals() throws {
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(5)
    tiny.settings["val-interval"] = .integer(3)
    tiny.settings["checkpoint-every"] = .integer(0)
    let folder = try TemporaryFolder()
    let listener = Listener()
    _ = try listener.run(tiny.trainer(in: folder))
    #expect(listener.rows.map { $0.top1 != nil } == [false, false, true, false, true])
    let kept = Set(folder.checkpoints.epochs)
    #expect(kept.isSuperset(of: [0, 3, 5]) && kept.isDisjoint(with: [1, 2, 4]))
  }

  @Test func whatDoesNotFitIsRefused() throws {
    var tiny = TinyTraining()
    let folder = try TemporaryFolder()
    #expect(throws: TrainingError.classCount(network: 3, data: 10)) {
      try tiny.trainer(in: folder, network: TinyTraining.network(classes: 3))
    }
    _ = try Listener().run(tiny.trainer(in: folder, stopAt: 2))
    let checkpoint = try folder.checkpoints.load(.last)
    tiny.settings["batch-size"] = .integer(4)
    #expect(
      throws: TrainingError.changedWithinEpoch(
        key: "batch-size", checkpoint: "8", given: "4", epochStep: 2)
    ) { try tiny.trainer(in: folder, resuming: checkpoint) }
    tiny.settings["batch-size"] = .integer(8)
    tiny.trainImages = 40
    #expect(throws: TrainingError.otherData(checkpoint: "digits", given: "digits")) {
      try tiny.trainer(in: folder, resuming: checkpoint)
    }
    tiny.settings["batch-size"] = .integer(64)
    #expect(throws: HyperparameterError.batchLargerThanData(batch: 64, images: 40)) {
      try tiny.trainer(in: folder)
    }
  }

  private static func name(_ event: TrainingEvent) -> String {
    switch event {
    case .started: return "started"
    case .step: return "step"
    case .stageEntered: return "stage"
    case .phaseEntered(let phase, _): return phase.rawValue
    case .evaluating: return "evaluating"
    case .epochFinished: return "epoch"
    case .bestImproved: return "best"
    case .checkpointWritten: return "checkpoint"
    case .stopped: return "stopped"
    case .diverged: return "diverged"
    case .finished: return "finished"
    }
  }
}
