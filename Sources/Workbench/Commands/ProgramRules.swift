import DSL
import Foundation
import Model

/// What the program itself checks in a script before anything runs, beyond the language's rules.
enum ProgramRules {
  /// The rules for scripts.
  static let all: [CheckRule] = [models, hyperparameters, metrics, formats] + TextRules.all
  /// The rules for a line at the prompt, where settings are judged by the commands themselves.
  static let prompt: [CheckRule] = [models, metrics, formats]

  /// Networks that do not exist.
  private static let models = CheckRule.each { invocation in
    guard invocation.name == "load", let name = invocation.string("model") else { return [] }
    do {
      _ = try Variant.named(name)
      return []
    } catch {
      let error = error as? any ModelError
      return [
        Diagnostic(
          rule: .unknownModel, message: error?.message ?? "unknown model '\(name)'",
          at: invocation.range(of: "model"),
          hint: error?.advice ?? "'models' lists them")
      ]
    }
  }

  /// Settings that a `set` makes and that have no effect with the others.
  private static let hyperparameters = CheckRule { script in
    var values = HyperparameterValues()
    var found: [Diagnostic] = []
    for step in script.steps
    where ["set", "unset", "preset", "train", "resume"].contains(step.invocation.name) {
      let invocation = step.invocation
      var effective = values
      if let preset = invocation.string("name").flatMap(Preset.named), invocation.name == "preset" {
        effective = (try? preset.applied(to: values)) ?? values
      }
      for argument in invocation.keys {
        // `resume epochs=+10` is a text of its own.
        guard HyperparameterKey.find(argument.name) != nil,
          !(invocation.name == "resume" && argument.name == "epochs")
        else { continue }
        do throws(HyperparameterError) {
          try effective.assign(argument)
        } catch {
          found.append(
            Diagnostic(
              code: Diagnostic.Code.badValue.rawValue, message: error.message,
              at: invocation.range(of: argument.name),
              hint: error.advice))
        }
      }
      if invocation.name == "unset" {
        if invocation.strings("key") == ["all"] { effective = HyperparameterValues() }
        for name in invocation.strings("key") where HyperparameterKey.find(name) != nil {
          _ = try? effective.unset(name)
        }
      }
      if let conflict = effective.conflict {
        let range = conflict.keys.lazy.compactMap { invocation.argument($0)?.range }.first
        found.append(
          Diagnostic(
            rule: .conflict, message: conflict.message, at: range ?? invocation.range,
            hint: conflict.advice))
        // The command would be refused, and what follows is judged without it.
        continue
      }
      if ["set", "unset", "preset"].contains(invocation.name) { values = effective }
      // What is inert at the moment of training is judged there, once.
      guard invocation.name == "train" else { continue }
      for warning in Hyperparameters.warnings(effective) {
        found.append(
          Diagnostic(
            .warning, rule: .doubtfulSetting, message: warning.message, at: invocation.range))
      }
    }
    return found
  }

  /// Metrics that cannot be drawn.
  private static let metrics = CheckRule.each { invocation in
    guard invocation.name == "plot" else { return [] }
    return PlotCommands.unknownMetrics(invocation)
  }

  /// Plots to files that cannot be written because their ending is unknown.
  private static let formats = CheckRule.each { invocation in
    guard invocation.name == "plot", let path = invocation.outputPath,
      (try? PlotFormat(path: path)) == nil
    else { return [] }
    return [
      Diagnostic(
        rule: .unknownFormat,
        message: PlotError.unknownFormat(name: path).message, at: invocation.output?.range)
    ]
  }
}
