import DSL
import Model

/// C6: a recipe for fine-tuning, and a network that has learnt nothing yet.
enum PretrainedRule {
  static let rule = CheckRule { script in
    script.steps.compactMap { step -> Diagnostic? in
      guard step.invocation.name == "train",
        let preset = script.last(
          before: step, where: { $0.name == "preset" && $0.isGiven("name") }),
        let name = preset.invocation.string("name"),
        Preset.named(name)?.isForPretrainedWeights == true,
        let load = script.last(
          before: step,
          where: { ["load", "checkpoint", "resume", "fork", "train"].contains($0.name) }),
        load.invocation.name == "load", !load.invocation.has("pretrained"),
        !load.invocation.isGiven("weights")
      else { return nil }
      return Diagnostic(
        .warning, rule: .notPretrained,
        message: "'\(name)' is a recipe for fine-tuning, but the network has new weights",
        at: load.invocation.range(of: "model"), hint: "add the word pretrained",
        notes: [.init("the recipe", at: preset.range)])
    }
  }
}

extension Preset {
  /// Whether the recipe begins with weights that were trained before: its advice names them.
  var isForPretrainedWeights: Bool { advice.contains("pretrained") }
}

/// C7: how many epochs a training really has, where the schedule adds some.
enum EpochRule {
  static let rule = CheckRule { script in
    let settings = script.settings
    return script.steps.compactMap { step -> Diagnostic? in
      guard step.invocation.name == "train", let variant = Variant.all.first else { return nil }
      let values = Hyperparameters(settings[step.index], for: variant.preprocessing)
      guard values.epochsText.contains("=") else { return nil }
      let range = step.invocation.argument("epochs")?.fullRange ?? step.range
      return Diagnostic(
        .note, rule: .totalEpochs, message: "this trains \(values.epochsText) epochs", at: range)
    }
  }
}

/// C13: draws that nobody has named a seed for.
enum SeedRule {
  static func rule(_ situation: CheckSituation) -> CheckRule {
    let isForced = situation.forcedKeys.contains("seed")
    return CheckRule { script in
      guard !isForced,
        let train = script.steps.first(where: { $0.invocation.name == "train" }),
        !script.steps.prefix(train.index + 1).contains(where: givesSeed)
      else { return [] }
      return [
        Diagnostic(
          .note, rule: .noSeed, message: "no seed is given: it is 42, the default",
          at: train.range, hint: "'seed 42' at the beginning says so")
      ]
    }
  }

  private static func givesSeed(_ step: Step) -> Bool {
    step.invocation.name == "seed" || step.invocation.keys.contains { $0.name == "seed" }
  }
}
