import CReadline
import DSL
import Foundation

/// `crash.wb`: the commands up to the one in which the program itself went wrong, as a script that can
/// be sent with a bug report.
enum CrashScript {
  /// Makes the script ready, so that a crash within the step can still write it.
  static func prepare(_ script: CheckedScript, upTo step: Step, _ places: Places) {
    let text = Self.text(script, upTo: step)
    let path = url(places).path
    wb_crash_prepare(path, text, text.utf8.count)
  }

  /// Writes the script and says where it is.
  static func write(_ script: CheckedScript, upTo step: Step, _ state: WorkbenchState) {
    let url = url(state.places)
    do {
      try FileWriting.write(text(script, upTo: step), to: url)
      state.console.message(
        "this is a mistake of the program; \(state.places.display(url)) has the commands up to it")
    } catch {
      state.console.message("this is a mistake of the program; \(url.path) cannot be written")
    }
  }

  private static func url(_ places: Places) -> URL {
    places.output.appendingPathComponent("crash.wb")
  }

  private static func text(_ script: CheckedScript, upTo step: Step) -> String {
    let lines = script.steps.prefix(step.index + 1).map(\.invocation.canonicalText)
    return """
      version \(script.script.version?.number ?? 1)
      # workbench \(ProgramVersion.number)\(ProgramVersion.commit.map { ", commit \($0.prefix(7))" } ?? "") \
      went wrong in the last command

      """ + lines.joined(separator: "\n") + "\n"
  }
}
