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
  var options = ReplayOptions()

  /// Checks everything, runs everything, and says how it ended.
  ///
  /// - Returns: the process's exit code.
  func run() throws -> Int32 {
    SignalCenter.exitsOnSecondRequest(true)
    let script = ScriptChecking.checked(
      source, as: mode, parameters: parameters, situation: CheckSituation(state, options))
    let shown = script.diagnostics.filter { $0.severity != .note }
    if !shown.isEmpty {
      let renderer = Renderer(usesColor: state.console.messageStyle.isColored)
      state.console.message(renderer.render(shown, in: source).trimmingNewline)
    }
    guard script.isSound else {
      state.console.message(" nothing was run")
      return ScriptChecking.exitCode(script)
    }
    defer { state.end() }
    state.cells.replace(CellDocument(script.script))
    state.cells.adopt(script)
    if options.isPlan { return try ReplayPlan(script, options, state).show() }
    if options.isRehearsal { return try Rehearsal(script, options, state).run() }
    try Requirements.check(script, state)
    let verification = options.verification.map {
      Verification(tolerance: $0, against: options.against, state: state)
    }
    try verification?.prepare(script)
    let replay = try ReplayRun(script, options, state)
    let code = try replay.run()
    guard code == 0, let verification else { return code }
    return verification.holds(for: replay.runs) ? 0 : 5
  }
}

/// Checks scripts, for `replay`, `check` and the command `check`.
enum ScriptChecking {
  /// A checked script, faults included.
  ///
  /// - Parameter situation: where the script is to run; nil where only its text is judged.
  static func checked(
    _ source: Source, as mode: Checker.Mode, parameters: [ParameterOverride] = [],
    situation: CheckSituation? = nil
  ) -> CheckedScript {
    let rules = ProgramRules.all + (situation.map(SituationRules.all) ?? [])
    var checker = Checker(
      vocabulary: CommandSet.table.vocabulary, allowsShell: situation?.allowsShell ?? false,
      rules: rules)
    checker.release = "workbench \(ProgramVersion.number)"
    return checker.check(source, as: mode, overrides: parameters)
  }

  /// Says what was found in a script.
  ///
  /// - Throws: what is wrong with it, with exit code 7 where only the machine lacks something.
  static func report(_ script: CheckedScript, _ console: Console) throws {
    guard script.isSound else {
      throw ScriptError(
        script.diagnostics, in: script.script.source, exitCode: exitCode(script))
    }
    if !script.diagnostics.isEmpty {
      let renderer = Renderer(usesColor: console.messageStyle.isColored)
      console.message(
        renderer.render(script.diagnostics, in: script.script.source).trimmingNewline)
    }
    console.print("\(script.script.source.name): \(script.steps.count) commands, no errors")
  }

  /// 7 where nothing is wrong but what the machine lacks, else 4.
  static func exitCode(_ script: CheckedScript) -> Int32 {
    let errors = script.diagnostics.filter { $0.severity == .error }
    return errors.allSatisfy { SituationRules.resourceCodes.contains($0.code) } ? 7 : 4
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
