import DSL
import Foundation
import Model

/// Where a script is to run, as far as a check must know.
struct CheckSituation: Sendable {
  var places: Places
  /// The keys that `-O` forces.
  let forcedKeys: Set<String>
  /// Seconds for the whole replay.
  let timeLimit: Double?
  let drawsPlots: Bool
  let allowsShell: Bool

  init(_ state: WorkbenchState, _ options: ReplayOptions) {
    places = state.places
    forcedKeys = state.forcedKeys
    timeLimit = options.timeLimit
    drawsPlots = options.drawsPlots
    allowsShell = options.allowsShell
  }
}

/// The rules about a script in its place: files, runs, gnuplot, time. A rule each.
enum SituationRules {
  static func all(_ situation: CheckSituation) -> [CheckRule] {
    var rules = [
      OutputRule.rule(situation), DataRule.rule(situation), WeightRule.rule(situation),
      RunRule.rule(situation), TimeRule.rule(situation), SeedRule.rule(situation),
    ]
    if situation.drawsPlots { rules.append(GnuplotRule.rule) }
    return rules
  }

  /// What is wrong with the machine and not with the script.
  static let resourceCodes = Set(RuleCode.allCases.filter(\.isAboutMachine).map(\.rawValue))
}

/// The rules about the text of a script alone. A rule each.
enum TextRules {
  static let all = [
    ClassCountRule.rule, PretrainedRule.rule, EpochRule.rule, ExpectRule.rule, WriterRule.rule,
    NameRule.rule,
  ]
}

extension CheckedScript {
  /// The settings in force at each step, its own keys on top, by its index.
  var settings: [HyperparameterValues] {
    var values = HyperparameterValues()
    return steps.map { step in
      let invocation = step.invocation
      if let preset = invocation.name == "preset" ? invocation.string("name") : nil {
        values = Preset.named(preset).flatMap { try? $0.applied(to: values) } ?? values
      }
      if invocation.name == "seed", let seed = invocation.integer("number") {
        _ = try? values.set("seed", to: .integer(seed))
      }
      if invocation.name == "unset" {
        let names = invocation.strings("key")
        if names == ["all"] { values = HyperparameterValues() }
        for name in names where HyperparameterKey.find(name) != nil { _ = try? values.unset(name) }
      }
      var own = values
      // `resume epochs=+10` counts from the run.
      for argument in invocation.keys
      where HyperparameterKey.find(argument.name) != nil && !(argument.text.hasPrefix("+")) {
        _ = try? own.assign(argument)
      }
      if invocation.name == "set" { values = own }
      return own
    }
  }

  /// The last step before another one that satisfies a condition.
  func last(before step: Step, where condition: (Invocation) -> Bool) -> Step? {
    steps.prefix(step.index).last { condition($0.invocation) }
  }

  /// Whether something before a step may have changed the machine in ways that no check can know.
  func isUnknowable(before step: Step) -> Bool {
    steps.prefix(step.index).contains { $0.invocation.name == Checker.shellVerb }
  }
}
