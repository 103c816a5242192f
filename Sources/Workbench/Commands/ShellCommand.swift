import DSL
import Foundation

// `shell`, which a line that begins with `!` stands for.

enum ShellCommand {
  static let shell = Command<WorkbenchState>(
    Signature(
      Checker.shellVerb, group: "session", "Runs a command of the shell; '!ls' is the same.",
      discussion: """
        Scripts may hold such lines only where --allow-shell permits them: what they do is not known \
        to 'check', to --resume and to --plan.
        """,
      positionals: [Positional("command", .text, "the command", .restOfLine)],
      effect: .process, allowedInScripts: false,
      examples: [Example("!ls", "the files here"), Example("!df -h .", "how full the disk is")])
  ) { invocation, state in
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", invocation.requiredString("command")]
    process.currentDirectoryURL = state.places.current
    do {
      try process.run()
    } catch {
      throw CommandError("the shell cannot be started: \(error.localizedDescription)", exitCode: 7)
    }
    while process.isRunning {
      if state.mustStop { process.interrupt() }
      usleep(10_000)
    }
    if state.mustStop { throw state.stopError }
    guard process.terminationStatus == 0 else {
      throw CommandError("the shell's command ended with status \(process.terminationStatus)")
    }
  }
}
