import Foundation
import Testing

@testable import Model

struct ScheduleTests {
  /// One training's rates as timm, PyTorch or google's rule gives them.
  struct Case: Decodable, CustomTestStringConvertible {
    let name: String
    let settings: [String: HyperparameterValue]
    let epochs: Int
    let stepsPerEpoch: Int
    let scores: [Double]
    let rates: [Double]

    var testDescription: String { name }

    var schedule: Schedule {
      get throws { Hyperparameters.schedule(try values(settings)) }
    }
  }

  static let cases: [Case] = {
    guard
      let data = try? Data(contentsOf: fixtureFolder("training").appending(path: "schedules.json")),
      let cases = try? JSONDecoder().decode([Case].self, from: data)
    else { return [] }
    return cases
  }()

  private static func values(
    _ settings: [String: HyperparameterValue]
  ) throws -> HyperparameterValues {
    var values = HyperparameterValues()
    for (name, value) in settings { try values.set(name, to: value) }
    return values
  }

  @Test func thereAreCases() { #expect(Self.cases.count > 60) }

  /// Both sides compute in double precision, in slightly different orders.
  @Test(arguments: cases) func ratesAreTimms(test: Case) throws {
    let schedule = try test.schedule
    #expect(schedule.totalEpochs == test.epochs)
    let steps = schedule.isPerStep ? test.stepsPerEpoch : 1
    #expect(test.rates.count == test.epochs * steps)
    for (tick, expected) in test.rates.enumerated() {
      let epoch = tick / steps
      let rate = schedule.rate(
        at: SchedulePosition(
          epoch: epoch, step: tick % steps, stepsPerEpoch: test.stepsPerEpoch,
          scores: Array(test.scores.prefix(epoch))))
      #expect(abs(rate - expected) <= 1e-9 * expected + 1e-17, "tick \(tick): \(rate), \(expected)")
    }
  }

  @Test func epochsAreExplainedInWords() throws {
    func text(_ settings: [String: HyperparameterValue]) throws -> String {
      Hyperparameters(try Self.values(settings), for: TinyTraining.variant.preprocessing).epochsText
    }
    #expect(try text(["epochs": .integer(50)]) == "50 + 10 cooldown = 60")
    #expect(try text(["epochs": .integer(50), "sched": .word("step")]) == "50")
    #expect(
      try text([
        "epochs": .integer(5), "lr-cycle-limit": .integer(3), "cooldown-epochs": .integer(0),
      ]) == "15 in 3 cycles")
    #expect(
      try text([
        "epochs": .integer(5), "warmup-prefix": .flag(true), "cooldown-epochs": .integer(2),
      ]) == "3 warm-up + 5 + 2 cooldown = 10")
  }

  @Test func theRateIsTheSameWithinAnEpochUnlessItMovesWithTheSteps() throws {
    func rates(_ settings: [String: HyperparameterValue]) throws -> [Double] {
      let schedule = Hyperparameters.schedule(try Self.values(settings))
      return [0, 6].map {
        schedule.rate(at: SchedulePosition(epoch: 4, step: $0, stepsPerEpoch: 7))
      }
    }
    let still = try rates([:])
    #expect(still[0] == still[1])
    let moving = try rates(["sched-on-updates": .flag(true)])
    #expect(moving[0] > moving[1])
    let cycle = try rates(["sched": .word("onecycle")])
    #expect(cycle[0] < cycle[1])
  }

  @Test func previewsHaveAPointForEachChange() throws {
    let epochs = Hyperparameters.schedule(try Self.values(["epochs": .integer(4)])).preview
    #expect(epochs.map(\.epoch) == (0..<14).map(Double.init))
    #expect(epochs[0].rate == 1e-4)
    let steps = Hyperparameters.schedule(
      try Self.values(["epochs": .integer(4), "sched": .word("onecycle")])
    ).preview
    #expect(steps.count >= 600)
    #expect(abs((steps.map(\.rate).max() ?? 0) - 0.05) < 1e-4)
  }

  /// The first outputs for the seed 42, as `torch.Generator` gives them.
  @Test func normalNumbersArePyTorchs() {
    var generator = TorchGenerator(seed: 42)
    let expected: [Float] = [0.336_690_37, 0.128_809_4, 0.234_462_34, 0.230_333_28]
    for value in expected { #expect(abs(Float(generator.normal()) - value) < 1e-6) }
  }
}
