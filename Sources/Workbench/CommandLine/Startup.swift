import DSL
import Foundation
import Glibc
import Model

/// Builds the program's parts for each way to start it.
@MainActor
enum Startup {
  /// The prompt, `-c`, or a script on standard input.
  static func prompt(_ command: PromptCommand) -> Int32 {
    let journal = Journal(folder: HomeFolder.journals)
    if let text = command.command {
      let state = makeState(command.output, journal: journal, isInteractive: false)
      return reported(state.console) {
        let options = try inlineOptions(command, ledgerName: "command")
        return try headless(Source(name: "<-c>", text: text), .inline, state, options: options)
      }
    }
    let console = makeConsole(command.output)
    let editor = makeLineEditor(historyFile: HomeFolder.history, style: console.style)
    let state = makeState(
      command.output, journal: journal, isInteractive: editor.isInteractive, console: console)
    guard editor.isInteractive else {
      return reported(state.console) {
        let options = try inlineOptions(command, ledgerName: "stdin")
        return try headless(
          try ScriptFile.readStandardInput(), .inline, state, options: options)
      }
    }
    var repl = Repl(state: state, editor: editor)
    return repl.run()
  }

  /// `workbench replay FILE`.
  static func replay(_ command: ReplayCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let (source, folder) = try read(command.file)
      let parameters = try overrides(command.script)
      if command.listParams { return try listParameters(source, parameters, console) }
      var options = try ReplayOptions(command.replay)
      if command.file != "-" {
        options.ledgerName =
          URL(fileURLWithPath: command.file).deletingPathExtension().lastPathComponent
        options.resumeCommand = resumeCommand(command)
      }
      let state = makeState(
        command.output, journal: Journal(folder: nil), isInteractive: false, console: console,
        script: folder)
      try force(command.overrides, state)
      if command.check {
        let script = ScriptChecking.checked(
          source, as: .file, parameters: parameters, situation: CheckSituation(state, options))
        try ScriptChecking.report(script, console)
        return 0
      }
      return try headless(source, .file, state, parameters, options: options)
    }
  }

  /// The options of `-c` and of standard input; their state is kept only where it is asked for, so
  /// that no folder appears wherever a command is run.
  private static func inlineOptions(
    _ command: PromptCommand, ledgerName: String
  ) throws -> ReplayOptions {
    var options = try ReplayOptions(command.replay)
    if options.resumes { options.ledgerName = ledgerName }
    return options
  }

  /// The command line that goes on with a replay: the same once more, with `--resume`.
  private static func resumeCommand(_ command: ReplayCommand) -> String {
    var words = ["workbench", "replay", command.file]
    for value in command.script.parameters { words += ["-p", value] }
    for value in command.overrides { words += ["-O", value] }
    if let out = command.output.out { words += ["--out", out] }
    if let to = command.replay.to { words += ["--to", to] }
    if let tags = command.replay.tags { words += ["--tags", tags] }
    if let skip = command.replay.skip { words += ["--skip", skip] }
    if let limit = command.replay.timeLimit { words += ["--time-limit", limit] }
    if command.replay.keepGoing { words.append("--keep-going") }
    if command.replay.allowShell { words.append("--allow-shell") }
    if command.replay.noPlot { words.append("--no-plot") }
    return (words + ["--resume"]).map(ShellWords.quoted).joined(separator: " ")
  }

  /// `workbench check FILE`.
  static func check(_ command: CheckCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let (source, folder) = try read(command.file)
      let state = makeState(
        command.output, journal: Journal(folder: nil), isInteractive: false, console: console,
        script: folder)
      let script = ScriptChecking.checked(
        source, as: .file, parameters: try overrides(command.script),
        situation: CheckSituation(state, ReplayOptions()))
      try ScriptChecking.report(script, console)
      return 0
    }
  }

  /// `workbench convert IN OUT`.
  static func convert(_ command: ConvertCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let destination = URL(fileURLWithPath: command.destination)
      let report = try WeightConversion.convert(
        URL(fileURLWithPath: command.input), to: destination)
      console.note(WeightReport.conversion(report, to: command.destination))
      return 0
    }
  }

  // MARK: Parts

  private static func headless(
    _ source: Source, _ mode: Checker.Mode, _ state: WorkbenchState,
    _ parameters: [ParameterOverride] = [], options: ReplayOptions
  ) throws -> Int32 {
    try HeadlessRun(
      state: state, source: source, mode: mode, parameters: parameters, options: options
    ).run()
  }

  static func makeConsole(_ options: OutputOptions) -> Console {
    Console(
      color: options.color, progress: options.progress, json: options.json, quiet: options.quiet)
  }

  static func makeState(
    _ options: OutputOptions, journal: Journal, isInteractive: Bool, console: Console? = nil,
    script: URL? = nil
  ) -> WorkbenchState {
    let console = console ?? makeConsole(options)
    let current = URL(
      fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
    let output = options.out.map { URL(fileURLWithPath: $0, isDirectory: true) } ?? current
    journal.onFailure = { console.warn($0) }
    return WorkbenchState(
      console: console, journal: journal, places: Places(script: script, output: output),
      isInteractive: isInteractive)
  }

  /// A script and the folder it lies in.
  static func read(_ file: String) throws -> (source: Source, folder: URL?) {
    guard file != "-" else { return (try ScriptFile.readStandardInput(), nil) }
    let url = URL(fileURLWithPath: file)
    return (try ScriptFile.read(url, named: file), url.deletingLastPathComponent())
  }

  private static func overrides(_ options: ScriptParameterOptions) throws -> [ParameterOverride] {
    try options.parameters.map { text in
      guard let override = ParameterOverride(parsing: text) else {
        throw CommandError("-p takes name=value, not '\(text)'", exitCode: 2)
      }
      return override
    }
  }

  /// Sets the keys of `-O` and keeps every statement from changing them.
  private static func force(_ texts: [String], _ state: WorkbenchState) throws {
    guard !texts.isEmpty else { return }
    let line = "set " + texts.joined(separator: " ")
    let script = ScriptChecking.checked(
      Source(name: "-O", text: line), as: .inline, parameters: [])
    let invocation = try script.validated().steps.first?.invocation
    var values = state.values
    for argument in invocation?.keys ?? [] { try state.assign(argument, to: &values) }
    state.values = values
    state.forcedKeys = Set(invocation?.keys.map(\.name) ?? [])
  }

  private static func listParameters(
    _ source: Source, _ parameters: [ParameterOverride], _ console: Console
  ) throws -> Int32 {
    let script = try ScriptChecking.checked(
      source, as: .file, parameters: parameters
    ).validated()
    let rows = script.parameters.map { parameter -> [Table.Cell] in
      [
        .init(parameter.name), .init(parameter.kind.phrase), .init(parameter.text),
        .init(parameter.help ?? ""),
      ]
    }
    console.print(
      Table([.init("parameter"), .init("takes"), .init("value"), .init("meaning")], rows: rows))
    return 0
  }

  /// Runs something and prints what it throws.
  static func reported(_ console: Console, _ body: () throws -> Int32) -> Int32 {
    do {
      do {
        return try body()
      } catch {
        throw translated(error)
      }
    } catch let error as ScriptError {
      let renderer = Renderer(usesColor: console.messageStyle.isColored)
      console.message(renderer.render(error.diagnostics, in: error.source).trimmingNewline)
      return error.exitCode
    } catch let error as CommandError {
      console.message(
        (error.isInterruption ? "" : console.messageStyle("error: ", .error)) + error.message
          + (error.hint.map { "; \($0)" } ?? ""))
      return error.exitCode
    } catch {
      console.message(console.messageStyle("error: ", .error) + String(describing: error))
      return 1
    }
  }
}
