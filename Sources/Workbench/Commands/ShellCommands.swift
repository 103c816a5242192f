import DSL
import Foundation

// `doctor`, `tail`, `log`, `timing`, `output`: the session among the other programs of the machine.

enum ShellCommands {
  static let all: [Command<WorkbenchState>] = [tail, log, doctor, timing, output]

  private static let runPositional = Positional(
    "run", .named("run"), "the run; the current one without", .optional)

  private static let tail = Command<WorkbenchState>(
    Signature(
      "tail", group: "runs", "Shows how a run goes, also one that another process trains.",
      discussion: """
        Prints the last lines of the run's log and where it stands. With --follow every new line is \
        printed as it comes, until the run ends; Ctrl-C ends the looking, not the run.
        """,
      positionals: [runPositional],
      keys: [Parameter("lines", .integer(.from(0)), "how many lines to begin with", default: "12")],
      flags: [Flag("follow", "go on until the run ends", short: "f")],
      effect: .look,
      reads: [.argument("run", prefix: "run:"), .only(.slot("run:current"), .missing("run"))],
      examples: [
        Example("tail quickstart", "its last lines"),
        Example("tail a lines=3 --follow", "ends at once if the run has ended"),
      ])
  ) { invocation, state in
    let run = try RunAccess.directory(invocation.string("run"), state)
    let tail = RunTail(run: run, console: state.console)
    let lines = invocation.integer("lines") ?? 12
    if invocation.has("follow") { try tail.follow(lines: lines) } else { tail.show(lines: lines) }
  }

  private static let log = Command<WorkbenchState>(
    Signature(
      "log", group: "runs", "Prints the log of a run.",
      discussion: "It holds the epoch table as it was printed, and why the training stopped.",
      positionals: [runPositional],
      effect: .look,
      reads: [.argument("run", prefix: "run:"), .only(.slot("run:current"), .missing("run"))],
      examples: [
        Example("log quickstart", "of one run"), Example("log", "of the current run"),
      ])
  ) { invocation, state in
    let run = try RunAccess.directory(invocation.string("run"), state)
    guard let text = try? String(contentsOf: run.log, encoding: .utf8) else {
      throw CommandError("the run '\(run.name)' has no log yet", exitCode: 7)
    }
    state.console.write(text)
  }

  private static let doctor = Command<WorkbenchState>(
    Signature(
      "doctor", group: "session", "Looks whether this machine has what the program needs.",
      discussion: """
        gnuplot and its formats, fonts, the terminal, data sets and weights with the places where \
        they were looked for, disk, memory, processor. Each line says ok, warn (something optional) \
        or fail, and what to do. 'workbench doctor' in the shell ends with exit code 7 if anything \
        fails.
        """,
      flags: [Flag("json", "one JSON object per check"), Flag("csv", "comma-separated values")],
      effect: .look,
      examples: [
        Example("doctor", "everything"), Example("doctor --json", "for a program"),
      ])
  ) { invocation, state in
    let findings = Doctor(plots: state.plots, places: state.places).findings()
    if invocation.has("json") || invocation.has("csv") || state.console.isForPrograms {
      try state.show(Doctor.table(findings), as: invocation)
    } else {
      state.console.write(Doctor.text(findings, style: state.console.style))
    }
  }

  private static let timing = Command<WorkbenchState>(
    Signature(
      "timing", group: "session", "Says after each command how long it took.",
      positionals: [
        Positional("state", .choice(["on", "off"]), "on or off; shows it without", .optional)
      ],
      effect: .session,
      examples: [
        Example("timing on; models *b0", "on standard error"), Example("timing off", "no longer"),
      ])
  ) { invocation, state in
    if let word = invocation.string("state") {
      state.showsTiming = word == "on"
    } else {
      state.console.print("timing is \(state.showsTiming ? "on" : "off")")
    }
  }

  private static let output = Command<WorkbenchState>(
    Signature(
      "output", group: "session", "Chooses the form in which tables are printed.",
      discussion: """
        It holds for the rest of the session; --json and --csv of a command decide for that command \
        alone.
        """,
      positionals: [
        Positional(
          "form", .choice(TableForm.allCases.map(\.rawValue)), "the form; shows it without",
          .optional)
      ],
      effect: .session,
      examples: [
        Example("output csv; models *b0", "comma-separated values"),
        Example("output table", "aligned for people, as at the start"),
      ])
  ) { invocation, state in
    if let form = invocation.string("form").flatMap(TableForm.init) {
      state.console.form = form
    } else {
      state.console.print("tables are printed as \(state.console.form.rawValue)")
    }
  }
}
