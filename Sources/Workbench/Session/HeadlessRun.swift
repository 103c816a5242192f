import DSL
import Foundation
import Model

/// Runs a whole text without a person: a session file, standard input, the commands of `-c`.
struct HeadlessRun {
  let state: WorkbenchState
  let source: Source
  let mode: Checker.Mode
  /// Values for the script's parameters.
  var parameters: [ParameterOverride] = []

  /// Checks everything, runs everything, and says how it ended.
  ///
  /// - Returns: the process's exit code.
  func run() -> Int32 {
    SignalCenter.exitsOnSecondRequest(true)
    let renderer = Renderer(usesColor: state.console.messageStyle.isColored)
    let script = ScriptChecking.checked(source, as: mode, parameters: parameters)
    if !script.diagnostics.isEmpty {
      state.console.message(renderer.render(script.diagnostics, in: source).trimmingNewline)
    }
    guard script.isSound else {
      state.console.message(" nothing was run")
      return 4
    }
    let total = script.steps.count
    let outcome = SessionRunner(state: state).run(script) { step in
      let text = source.text(in: step.range)
      state.console.note(
        state.console.messageStyle("[\(step.index + 1)/\(total)] \(text)", .faint))
    }
    for failure in outcome.failures {
      state.console.message(renderer.render(failure.diagnostic, in: source).trimmingNewline)
      state.console.message(" \(place(of: failure.step, script, completed: outcome.completed))")
    }
    return outcome.exitCode
  }

  /// Where a step stands and how far the run came: `in cell 2 "Train" · 3 of 7 commands run`.
  private func place(of step: Step, _ script: CheckedScript, completed: Int) -> String {
    let count = "\(completed) of \(script.steps.count) commands run"
    guard step.cell > 0, let cell = script.script.label(ofCell: step.cell) else { return count }
    return "in \(cell) · \(count)"
  }
}

/// Checks scripts, for `replay`, `check` and the command `check`.
enum ScriptChecking {
  /// A checked script, faults included.
  static func checked(
    _ source: Source, as mode: Checker.Mode, parameters: [ParameterOverride] = []
  ) -> CheckedScript {
    var checker = Checker(vocabulary: CommandSet.table.vocabulary, rules: ProgramRules.all)
    checker.release = "workbench \(ProgramVersion.number)"
    return checker.check(source, as: mode, overrides: parameters)
  }

  /// Says what was found in a script.
  static func report(_ script: CheckedScript, _ console: Console) throws {
    let script = try script.validated()
    if !script.diagnostics.isEmpty {
      let renderer = Renderer(usesColor: console.messageStyle.isColored)
      console.message(
        renderer.render(script.diagnostics, in: script.script.source).trimmingNewline)
    }
    console.print("\(script.script.source.name): \(script.steps.count) commands, no errors")
  }
}

/// Reads session files.
enum ScriptFile {
  /// The text of a file, or of standard input for `-`.
  ///
  /// - Throws: a failure that names the file and the reason.
  static func read(_ url: URL, named name: String? = nil) throws -> Source {
    let data: Data
    do {
      data = try Data(contentsOf: url)
    } catch {
      let exists = FileManager.default.fileExists(atPath: url.path)
      throw CommandError(
        "\(exists ? "cannot read" : "there is no file") \(name ?? url.path)",
        hint: exists ? "check its permissions" : "check the path", exitCode: 4)
    }
    return try source(data, named: name ?? url.path)
  }

  /// Standard input as a source.
  static func readStandardInput() throws -> Source {
    let data = (try? FileHandle.standardInput.readToEnd()) ?? Data()
    return try source(data, named: "<stdin>")
  }

  private static func source(_ data: Data, named name: String) throws -> Source {
    guard data.count <= 4 << 20 else {
      throw CommandError("\(name) is too large for a session file", exitCode: 4)
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw CommandError(
        "\(name) is not text in UTF-8", hint: "is it really a session file?", exitCode: 4)
    }
    return Source(name: name, text: text)
  }
}

extension String {
  /// The text without newlines at its end.
  var trimmingNewline: String {
    var text = self
    while text.last == "\n" { text.removeLast() }
    return text
  }
}
