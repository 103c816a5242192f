import DSL
import Foundation
import Model

extension Startup {
  /// `workbench import FILE [OUT]`.
  static func importNotebook(_ command: ImportCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      try NotebookImport.run(
        URL(fileURLWithPath: command.file), named: command.file, to: command.destination,
        intent: command.intent, force: command.force, console, places(command.output))
      return 0
    }
  }

  /// `workbench export FILE OUT`.
  static func export(_ command: ExportCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let (source, folder) = try read(command.file)
      let script = try ScriptChecking.checked(source, as: .file).validated()
      let state = makeState(
        command.output, journal: Journal(folder: nil), isInteractive: false, console: console,
        script: folder)
      let target = state.places.output(command.destination)
      guard target.pathExtension.lowercased() == "ipynb" else {
        throw CommandError(
          "a notebook ends in .ipynb, not '\(target.lastPathComponent)'",
          hint: "reports are written by the session itself: export report.md")
      }
      try SessionExport.write(ExportedCells.of(script), to: target, force: command.force, state)
      return 0
    }
  }

  /// `workbench doctor`.
  static func doctor(_ command: DoctorCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let findings = Doctor(plots: GnuplotSink(), places: places(command.output)).findings()
      if console.isForPrograms {
        console.print(Doctor.table(findings))
      } else {
        console.write(Doctor.text(findings, style: console.style))
      }
      return Doctor.exitCode(findings)
    }
  }

  /// `workbench tail RUN`.
  static func tail(_ command: TailCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let state = makeState(
        command.output, journal: Journal(folder: nil), isInteractive: false, console: console)
      let tail = RunTail(run: try RunAccess.directory(command.run, state), console: console)
      if command.follow {
        try tail.follow(lines: command.lines)
      } else {
        tail.show(lines: command.lines)
      }
      return 0
    }
  }

  /// `workbench upgrade FILE`.
  static func upgrade(_ command: UpgradeCommand) -> Int32 {
    let console = makeConsole(command.output)
    return reported(console) {
      let url = URL(fileURLWithPath: command.file)
      let source = try ScriptFile.read(url, named: command.file)
      let text = try ScriptUpgrade().upgraded(source)
      guard text != source.text else {
        console.note("\(command.file) is up to date")
        return 0
      }
      func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
      }
      let difference = TextDifference(lines(source.text), lines(text))
      console.write(
        difference.text(command.file, "\(command.file), upgraded", style: console.style))
      guard command.write else {
        console.note("nothing was written; --write does it")
        return 0
      }
      let isExecutable = access(url.path, X_OK) == 0
      try FileWriting.write(text, to: url.resolvingSymlinksInPath(), executable: isExecutable)
      console.note("wrote \(command.file)")
      return 0
    }
  }

  /// The places of a command that needs no session.
  private static func places(_ options: OutputOptions) -> Places {
    let current = URL(
      fileURLWithPath: FileManager.default.currentDirectoryPath, isDirectory: true)
    return Places(
      output: options.out.map { URL(fileURLWithPath: $0, isDirectory: true) } ?? current)
  }
}
