import Testing

@testable import Model

/// What ends a training before its last epoch, and what is kept within an epoch.
struct TrainingLimitTests {
  private struct Death: Error {}

  @Test func patienceEndsATrainingThatDoesNotImprove() throws {
    var tiny = TinyTraining()
    // Nothing moves, so that no epoch is better than the first.
    tiny.settings.merge([
      "epochs": 6, "lr": 0.0, "warmup-epochs": 0, "freeze-bn": true, "early-stop": 2,
    ]) { $1 }
    let folder = try TemporaryFolder()
    let finish = try #require(try Listener().run(tiny.trainer(in: folder)).finish)
    #expect(finish.isOutOfPatience && finish.isCutShort && finish.epochs == 3)
    #expect(finish.best?.epoch == 1)
    // Going on with the same patience ends at once, with more of it it trains.
    let same = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    #expect(try Listener().run(same).finish?.epochs == 3)
    tiny.settings["early-stop"] = 3
    let longer = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    #expect(try Listener().run(longer).finish?.epochs == 4)
  }

  /// The first evaluation, behind epoch 3, is the best; one epoch without a better one is over only
  /// where the next evaluation says so.
  @Test func patienceWaitsForAnEvaluation() throws {
    var tiny = TinyTraining()
    tiny.settings.merge([
      "epochs": 9, "lr": 0.0, "warmup-epochs": 0, "freeze-bn": true, "early-stop": 1,
      "val-interval": 3,
    ]) { $1 }
    let folder = try TemporaryFolder()
    let finish = try #require(try Listener().run(tiny.trainer(in: folder)).finish)
    #expect(finish.isOutOfPatience && finish.epochs == 6 && finish.best?.epoch == 3)
  }

  @Test func aKilledEpochGoesOnFromItsLastCheckpoint() throws {
    var tiny = TinyTraining()
    let whole = try tiny.trainer(in: TemporaryFolder())
    _ = try Listener().run(whole)
    tiny.settings["checkpoint-steps"] = 3
    let folder = try TemporaryFolder()
    let killed = try tiny.trainer(in: folder)
    #expect(throws: Death.self) {
      _ = try killed.run { event in
        if case .step(let step) = event, step.step == 4 { throw Death() }
      }
    }
    let checkpoint = try folder.checkpoints.load(.last)
    #expect(checkpoint.state.step == 3 && checkpoint.state.epochStep == 3)
    tiny.seed = 99
    let resumed = try tiny.trainer(in: folder, resuming: checkpoint)
    #expect(try Listener().run(resumed).finish?.step == 8)
    #expect(resumed.network.weightDigest == whole.network.weightDigest)
  }

  /// Plateau watches the scores of the finished epochs, which a checkpoint keeps.
  @Test func plateauLowersTheRateAndResumes() throws {
    var tiny = TinyTraining()
    tiny.settings.merge([
      "epochs": 5, "sched": "plateau", "patience-epochs": 0, "decay-rate": 0.5, "lr": 1e-5,
      "min-lr": 0.0,
      "warmup-epochs": 0, "freeze-bn": true,
    ]) { $1 }
    let reference = Listener()
    let whole = try tiny.trainer(in: TemporaryFolder())
    _ = try reference.run(whole)
    let rates = reference.rows.map(\.rate)
    #expect(rates.first == 1e-5 && (rates.last ?? 1) < 1e-5)
    let folder = try TemporaryFolder()
    let listener = Listener()
    _ = try listener.run(tiny.trainer(in: folder, stopAt: 14))
    _ = try listener.run(tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last)))
    #expect(listener.rows == reference.rows)
  }
}
