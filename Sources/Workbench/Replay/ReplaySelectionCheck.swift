import DSL
import Foundation
import Model

/// Whether the cells that run find what those that are left out would have made.
enum ReplaySelectionCheck {
  /// - Throws: a failure with exit code 4 that names the first command that would not find its run or
  ///   its network; nothing has run then.
  static func check(
    _ script: CheckedScript, _ selection: CellSelection, _ state: WorkbenchState
  ) throws {
    var needs = StepNeeds()
    for step in script.steps {
      switch selection.role(ofCell: step.cell) {
      case .none: return
      case .standIn:
        if StepKind(step.invocation) == .setup { needs.gain(step) }
        guard StepKind(step.invocation) == .training else { continue }
        let run = step.namedRun.flatMap { try? RunDirectory.open($0, in: state.places.runs) }
        if let run, !run.checkpoints.list().isEmpty {
          needs.gain(step)
        } else {
          let name = step.namedRun.map { "there is no run '\($0)'" } ?? "its run has no name"
          needs.lose(step, because: "\(step.origin(in: script.script)) is left out, and \(name)")
        }
      case .run:
        if let obstacle = needs.obstacle(to: step) {
          let text = script.script.source.text(in: step.range)
          throw CommandError(
            "'\(text)' lacks what it needs: \(obstacle)",
            hint: "replay the whole script once, or choose more cells", exitCode: 4)
        }
        needs.gain(step)
      }
    }
  }
}
