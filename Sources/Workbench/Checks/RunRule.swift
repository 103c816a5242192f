import DSL
import Foundation

/// C15 and C20: a look at a run that neither stands on disk nor is trained before.
enum RunRule {
  static func rule(_ situation: CheckSituation) -> CheckRule {
    let runs = situation.places.runs
    return CheckRule { script in
      let present = Set(RunDirectory.all(in: runs).map(\.name))
      var found: [Diagnostic] = []
      var made: Set<String> = []
      // A training without a name gets one that is found out when it runs.
      var isUnnamed = false
      for step in script.steps {
        defer {
          if let name = step.namedRun { made.insert(name) }
          if step.invocation.name == "train", step.namedRun == nil { isUnnamed = true }
        }
        let known = present.union(made)
        guard !isUnnamed, !script.isUnknowable(before: step) else { continue }
        for (name, range) in wanted(step.invocation) where !known.contains(name) {
          found.append(unknown(name, range, step, script, known))
        }
        if known.isEmpty, needsAnyRun(step.invocation) {
          found.append(
            Diagnostic(
              rule: .noRun, message: "there is no run yet", at: step.range,
              hint: "'train' makes one"))
        }
      }
      return found
    }
  }

  private static func unknown(
    _ name: String, _ range: SourceRange, _ step: Step, _ script: CheckedScript,
    _ known: Set<String>
  ) -> Diagnostic {
    let later = script.steps.dropFirst(step.index + 1).first { $0.namedRun == name }
    return Diagnostic(
      rule: .unknownRun, message: "there is no run '\(name)'", at: range,
      hint: later == nil ? Suggestion.didYouMean(name, among: known.sorted()) : nil,
      notes: later.map { [.init("it is trained only here", at: $0.range)] } ?? [])
  }

  /// The runs that a command names, and where.
  private static func wanted(_ invocation: Invocation) -> [(String, SourceRange)] {
    let keys: [String]
    switch invocation.name {
    case "eval", "metrics", "resume": keys = ["run"]
    case "plot", "compare": keys = ["runs"]
    case "expect": keys = ["run"]
    case "checkpoint": keys = ["which"]
    case "fork": keys = ["from"]
    default: return []
    }
    let declared =
      invocation.signature.positionals.map(\.name) + invocation.signature.keys.map(\.name)
    return keys.filter(declared.contains).flatMap { key in
      invocation.strings(key).map { text in
        (String(text.prefix { $0 != "@" }), invocation.range(of: key))
      }
    }.filter { !$0.0.isEmpty && !$0.0.contains("*") && !RunSelection.isFile($0.0) }
  }

  /// Whether a command means the current run.
  private static func needsAnyRun(_ invocation: Invocation) -> Bool {
    switch invocation.name {
    case "plot":
      return invocation.strings("runs").isEmpty && invocation.strings("metrics") != ["lr"]
        && invocation.strings("metrics").allSatisfy { CurveMetric.named($0) != nil }
    case "metrics", "expect", "resume": return !invocation.isGiven("run")
    default: return false
    }
  }
}
