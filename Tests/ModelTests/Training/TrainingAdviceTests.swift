import Testing

@testable import Model

struct TrainingAdviceTests {
  private static func warnings(
    _ settings: [String: HyperparameterValue], steps: Int = 1000
  ) throws -> [HyperparameterWarning] {
    var tiny = TinyTraining()
    tiny.settings.merge(settings) { $1 }
    return TrainingAdvice.warnings(
      try TinyTraining.network(), try tiny.hyperparameters, steps: steps)
  }

  @Test func usualSettingsRaiseNoDoubt() throws {
    #expect(try Self.warnings(["lr": 0.0125, "batch-size": 8]).isEmpty)
    #expect(try Self.warnings(["opt": "adamw", "lr": 0.001]).isEmpty)
  }

  @Test func doubtsAreNamed() throws {
    #expect(try Self.warnings(["batch-size": 4, "lr": 0.001]) == [.smallBatch(4)])
    #expect(try Self.warnings(["batch-size": 4, "lr": 0.001, "freeze-bn": true]).isEmpty)
    // The tiny network's stride is 8; the key's own limit is 8 pixels too.
    #expect(try Self.warnings(["input-size": 8]).isEmpty)
    #expect(try Self.warnings(["lr": 1]) == [.highRate(rate: 1, usual: 0.0125)])
    #expect(
      try Self.warnings(["opt": "adam", "lr": 0.05]) == [.highRate(rate: 0.05, usual: 0.001)])
    #expect(
      try Self.warnings(["std": [1, 1, 1]])
        == [.otherNormalization(key: "std", usual: Preprocessing.imageNetDeviation)])
    let average: [String: HyperparameterValue] = ["model-ema": true, "model-ema-decay": 0.999]
    #expect(try Self.warnings(average, steps: 20) == [.slowAverage(memory: 1000, steps: 20)])
    #expect(try Self.warnings(average, steps: 2000).isEmpty)
    #expect(
      try Self.warnings(average.merging(["model-ema-warmup": true]) { $1 }, steps: 20).isEmpty)
  }

  @Test func aCopyAtAProgressiveSizeIsJudgedByItsSmallestBatch() throws {
    #expect(
      try Self.warnings([
        "progressive": "paper", "stages": 2, "stage-batch": [8, 2], "stage-sizes": [12, 16],
      ]) == [.smallBatch(2)])
  }
}
