import Testing

@testable import Model

struct ScheduleTests {
  /// The original notebook: 50 epochs at 0.05, warm-up 3, cool-down 10 (numbers of timm 0.5.4).
  @Test func cosineFollowsTimm() throws {
    var values = HyperparameterValues()
    try values.set("epochs", to: .integer(50))
    let schedule = Hyperparameters.schedule(values)
    #expect(schedule.totalEpochs == 60)
    let expected: [Int: Double] = [
      0: 1e-4, 1: 0.0167333, 2: 0.0333667, 3: 0.0495572, 10: 0.0452255, 25: 0.0250005,
      40: 0.00477548, 49: 5.03308e-5, 50: 1e-6, 55: 1e-6, 59: 1e-6,
    ]
    let preview = schedule.preview
    #expect(preview.count == 60)
    for (epoch, rate) in expected {
      #expect(abs(preview[epoch] - rate) <= 5e-6 * rate, "epoch \(epoch): \(preview[epoch])")
    }
  }

  @Test func noWarmupStartsAtTheTop() throws {
    var values = HyperparameterValues()
    try values.set("epochs", to: .integer(4))
    try values.set("warmup-epochs", to: .integer(0))
    try values.set("cooldown-epochs", to: .integer(0))
    let preview = Hyperparameters.schedule(values).preview
    #expect(preview.count == 4)
    #expect(preview[0] == 0.05)
    #expect(abs(preview[2] - (1e-6 + 0.5 * (0.05 - 1e-6))) < 1e-15)
  }

  @Test func constantStaysAndAddsNoEpochs() throws {
    var values = HyperparameterValues()
    try values.set("sched", to: .word("constant"))
    try values.set("epochs", to: .integer(5))
    let preview = Hyperparameters.schedule(values).preview
    #expect(preview.count == 5)
    #expect(preview[0] == 1e-4)
    #expect(preview[3...].allSatisfy { $0 == 0.05 })
  }

  @Test func theRateIsTheSameWithinAnEpoch() {
    let schedule = CosineSchedule(
      peak: 1, floor: 0, epochs: 10, cooldownEpochs: 0, warmup: Warmup(epochs: 0, start: 0))
    let first = schedule.rate(at: SchedulePosition(epoch: 3, step: 0, stepsPerEpoch: 7))
    let last = schedule.rate(at: SchedulePosition(epoch: 3, step: 6, stepsPerEpoch: 7))
    #expect(first == last)
  }
}
