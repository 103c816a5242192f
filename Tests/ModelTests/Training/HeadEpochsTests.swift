import Foundation
import Testing

@testable import Model

/// Training of the classifier alone before that of the whole network.
struct HeadEpochsTests {
  private static func tiny(_ settings: [String: HyperparameterValue]) -> TinyTraining {
    var tiny = TinyTraining()
    tiny.settings["epochs"] = .integer(4)
    tiny.settings["keep"] = .integer(9)
    for (key, value) in settings { tiny.settings[key] = value }
    return tiny
  }

  @Test func theFirstEpochsAreThoseOfAFrozenBackbone() throws {
    let (headFolder, frozenFolder) = (try TemporaryFolder(), try TemporaryFolder())
    let (head, frozen) = (Listener(), Listener())
    _ = try head.run(Self.tiny(["head-epochs": .integer(2)]).trainer(in: headFolder))
    _ = try frozen.run(
      Self.tiny(["freeze": .word("backbone"), "freeze-bn": .flag(true)])
        .trainer(in: frozenFolder))
    #expect(head.losses.count == 16 && head.losses.prefix(8) == frozen.losses.prefix(8))
    #expect(head.rows.prefix(2) == frozen.rows.prefix(2))
    #expect(head.losses[9] != frozen.losses[9])
    // The rate knows nothing of it.
    #expect(head.rows.map(\.rate) == frozen.rows.map(\.rate))
    let phases = head.events.compactMap { event -> String? in
      if case .phaseEntered(let phase, let epochs) = event { "\(phase) \(epochs)" } else { nil }
    }
    #expect(phases == ["classifier 0..<2", "whole 2..<4"])

    let start = try TinyTraining.network(seed: 7)
    func moved(_ epoch: Int) throws -> (backbone: Bool, classifier: Bool, statistics: Bool) {
      let network = try TinyTraining.network(seed: 1)
      try headFolder.checkpoints.load(.epoch(epoch)).restore(into: network)
      func differs(_ part: (ParameterInfo) -> Bool) -> Bool {
        network.parameters.table.entries.contains {
          part($0) && network.parameters.values($0) != start.parameters.values($0)
        }
      }
      return (
        differs { $0.storage == .weights && $0.role.unit != .classifier },
        differs { $0.role.unit == .classifier }, differs { $0.storage == .buffers }
      )
    }
    #expect(try moved(2) == (false, true, false))
    #expect(try moved(3) == (true, true, true))
  }

  /// Adam's first step is as long as the rate in every weight, unless it counts the steps before.
  @Test func theOptimizerBeginsAnew() throws {
    let folder = try TemporaryFolder()
    let tiny = Self.tiny([
      "head-epochs": .integer(2), "opt": .word("adamw"), "lr": .number(1e-3),
      "weight-decay": .number(0), "warmup-epochs": .integer(0),
    ])
    let trainer = try tiny.trainer(in: folder, stopAt: 8)
    _ = try Listener().run(trainer)
    let checkpoint = try folder.checkpoints.load(.last)
    #expect(checkpoint.state.completedEpochs == 1 && checkpoint.state.phaseStart == nil)
    let boundary = try tiny.trainer(in: folder, resuming: checkpoint, stopAt: 9)
    let listener = Listener()
    _ = try listener.run(boundary)
    #expect(boundary.state.phaseStart == 8 && boundary.step.optimizer.updates == 1)
    let before = try TinyTraining.network()
    try folder.checkpoints.load(.epoch(2)).restore(into: before)
    let rate = boundary.settings.schedule.rate(
      at: SchedulePosition(epoch: 2, stepsPerEpoch: 4))
    let after = boundary.network.parameters
    let stem = after.table.entries[0]
    let steps = zip(after.values(stem), before.parameters.values(stem)).map { abs($0 - $1) }
    #expect(steps.allSatisfy { Double($0) < 1.001 * rate })
    #expect(steps.filter { Double($0) > 0.9 * rate }.count > steps.count * 9 / 10)
  }

  @Test func moreEpochsOfTheClassifierGoOnFromAFinishedEpoch() throws {
    let folder = try TemporaryFolder()
    var tiny = Self.tiny(["head-epochs": .integer(2), "epochs": .integer(2)])
    _ = try Listener().run(tiny.trainer(in: folder))
    #expect(try folder.checkpoints.load(.last).state.phaseStart == 8)
    tiny.settings["epochs"] = .integer(3)
    tiny.settings["head-epochs"] = .integer(3)
    let trainer = try tiny.trainer(in: folder, resuming: folder.checkpoints.load(.last))
    #expect(trainer.step.phase == .classifier)
    #expect(try Listener().run(trainer).finish?.step == 12)
  }

  @Test func whatCannotBeMeantIsToldOrRefused() throws {
    var values = HyperparameterValues()
    try values.set("epochs", to: .integer(5))
    try values.set("cooldown-epochs", to: .integer(0))
    try values.set("head-epochs", to: .integer(5))
    #expect(Hyperparameters.warnings(values).contains(.backboneNeverTrains(head: 5)))
    try values.set("freeze", to: .word("backbone"))
    let key = try HyperparameterKey.named("head-epochs")
    #expect(values.inertReason(key) != nil && values.headEpochs == 0)
    let folder = try TemporaryFolder()
    let tiny = Self.tiny(["head-epochs": .integer(1), "freeze": .word("classifier")])
    do {
      _ = try tiny.trainer(in: folder)
      Issue.record("a frozen classifier cannot train alone")
    } catch let error as HyperparameterError {
      #expect(error.message.contains("head-epochs") && error.advice?.contains("freeze") == true)
    }
  }

  /// timm's param_groups_layer_decay: scales are raised to min_scale, and what is below no_opt_scale
  /// does not train.
  @Test func smallLayerScalesAreRaisedOrFrozen() throws {
    let table = try TinyTraining.network().parameters.table
    let plain = LayerScales.scales(of: table, decay: 0.5, smallest: 0)
    let raised = LayerScales.scales(of: table, decay: 0.5, smallest: 0.1)
    #expect(Set(plain.map(\.scale)) == [1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625])
    #expect(raised.map(\.scale) == plain.map { max(0.1, $0.scale) })
    var tiny = TinyTraining()
    tiny.settings["layer-decay"] = .number(0.5)
    tiny.settings["layer-decay-no-opt-scale"] = .number(0.125)
    let settings = try tiny.hyperparameters
    let freezing = try settings.freezing(.whole, table)
    for (info, scale) in plain {
      let index = try #require(table.entries.firstIndex { $0.path == info.path })
      #expect(freezing.trains(ParameterReference(index: index)) == (scale >= 0.125))
    }
    tiny.settings["layer-decay-min-scale"] = .number(0.125)
    #expect(try tiny.hyperparameters.freezing(.whole, table).frozenRanges.isEmpty)
  }
}
