import ArgumentParser
import CReadline
import Foundation

// Reads the command line and hands over to what it asks for. The exit codes are those of the
// table in the README; a command line that cannot be understood ends with 2.

// Before anything else: the kernels would end the program without a word.
if let complaint = ProcessorCheck.complaint() {
  TerminalDevice.write(complaint + "\n", to: STDERR_FILENO)
  exit(7)
}

SignalCenter.install()
wb_crash_install()
SignalCenter.saveTerminal()

@MainActor func run(_ command: any ParsableCommand) -> Int32? {
  switch command {
  case let command as PromptCommand: Startup.prompt(command)
  case let command as ReplayCommand: Startup.replay(command)
  case let command as CheckCommand: Startup.check(command)
  case let command as ConvertCommand: Startup.convert(command)
  case let command as ImportCommand: Startup.importNotebook(command)
  case let command as ExportCommand: Startup.export(command)
  case let command as TailCommand: Startup.tail(command)
  case let command as UpgradeCommand: Startup.upgrade(command)
  case let command as DoctorCommand: Startup.doctor(command)
  default: nil
  }
}

var code: Int32 = 0
do {
  // An option with a value that may be left out.
  let words = CommandLine.arguments.dropFirst().map { $0 == "--verify" ? "--verify=exact" : $0 }
  var command = try WorkbenchCommand.parseAsRoot(words)
  if let status = run(command) {
    code = status
  } else {
    try command.run()
  }
} catch {
  let text = WorkbenchCommand.fullMessage(for: error)
  let isRequested = WorkbenchCommand.exitCode(for: error) == ExitCode.success
  TerminalDevice.write(text + "\n", to: isRequested ? STDOUT_FILENO : STDERR_FILENO)
  code = isRequested ? 0 : 2
}
SignalCenter.restoreTerminal()
exit(code)
