import DSL
import Foundation
import Model

/// C16: a time limit that earlier runs show to be too short.
enum TimeRule {
  static func rule(_ situation: CheckSituation) -> CheckRule {
    CheckRule { script in
      let settings = script.settings
      var total = 0.0
      var found: [Diagnostic] = []
      // Runs are read only where there is a limit to compare with.
      var estimates: TrainingEstimates?
      for step in script.steps where step.invocation.name == "train" {
        let own = settings[step.index]
        let limit: Double? =
          if case .number(let seconds) = own["time-limit"] { seconds } else { nil }
        guard limit != nil || situation.timeLimit != nil else { continue }
        let known = estimates ?? TrainingEstimates(runs: situation.places.runs)
        estimates = known
        guard let seconds = seconds(of: step, own, script, known) else { continue }
        total += seconds
        if let limit, seconds > limit {
          let range = step.invocation.argument("time-limit")?.fullRange ?? step.range
          found.append(warning(seconds, limit, at: range))
        }
      }
      if let limit = situation.timeLimit, total > limit,
        let first = script.steps.first(where: { $0.invocation.name == "train" })
      {
        found.append(warning(total, limit, at: first.range))
      }
      return found
    }
  }

  private static func warning(
    _ seconds: Double, _ limit: Double, at range: SourceRange
  ) -> Diagnostic {
    Diagnostic(
      .warning, rule: .timeLimit,
      message: "earlier runs let expect \(NumberText.duration(seconds)), the time limit is "
        + NumberText.duration(limit),
      at: range, hint: "it stops there; --resume goes on")
  }

  private static func seconds(
    of step: Step, _ values: HyperparameterValues, _ script: CheckedScript,
    _ estimates: TrainingEstimates
  ) -> Double? {
    guard let load = script.last(before: step, where: { $0.name == "load" }),
      let data = script.last(
        before: step, where: { $0.name == "data" && $0.string("name") != "verify" }),
      let variant = load.invocation.string("model").flatMap({ try? Variant.named($0) }),
      let images = images(of: data.invocation)
    else { return nil }
    return estimates.seconds(
      Hyperparameters(values, for: variant.preprocessing), model: variant.qualifiedName,
      trainImages: images, testImages: 0, doneSteps: 0)
  }

  /// The training images of a data set whose size is known.
  private static func images(of data: Invocation) -> Int? {
    let all: Int
    switch data.string("name") {
    case "digits": all = Datasets.digits().train.count
    case "cifar10", "cifar100": all = 50_000
    default: return nil
    }
    let share = 1 - (data.number("val-fraction") ?? 0)
    return Int(Double(min(all, data.integer("limit") ?? all)) * share)
  }
}
