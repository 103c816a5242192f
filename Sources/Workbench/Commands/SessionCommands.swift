import DSL
import Foundation
import Model

// `status`, `history`, `env`, `note`, `save`, `check`, `replay`, `quit`: the session itself.
// `help` is in HelpCommand.swift, because it needs the table of all commands.

enum SessionCommands {
  static let all: [Command<WorkbenchState>] = [
    status, history, environment, note, save, check, replay, quit,
  ]

  private static let status = Command<WorkbenchState>(
    Signature(
      "status", group: "session", "Shows where the session stands.",
      effect: .look,
      reads: [.slot("model"), .slot("data"), .slot("params.*"), .slot("run:current")],
      examples: [
        Example("status", "model, data, changed settings, current run"),
        Example("data digits; status", "after loading data"),
      ])
  ) { _, state in
    var facts = Facts(style: state.console.style)
    facts.add(
      "model",
      state.model.map { "\($0.variant.name), \($0.classCount) classes" }
        ?? "none; load one: load NAME")
    facts.add(
      "data",
      state.data.map {
        "\($0.source.name), \(DataReport.images($0.source)), \($0.classCount) classes"
      } ?? "none; load some: data NAME")
    let changed = state.values.changed.map { "\($0.name)=\(state.values[$0.name].text)" }
    facts.add(
      "settings", changed.isEmpty ? "all at their defaults" : changed.joined(separator: " "))
    let run = try state.currentRun.map { name -> String in
      let summary = RunSummary(try RunAccess.directory(name, state))
      return "\(name), \(summary.status.rawValue), \(summary.epochs) epochs"
    }
    facts.add("run", run ?? "none yet; 'train' makes one")
    let unsaved = state.unsavedChanges
    facts.add("session", unsaved == 0 ? "nothing to save" : "\(unsaved) not saved; save FILE.wb")
    state.console.write(facts.text)
  }

  private static let history = Command<WorkbenchState>(
    Signature(
      "history", group: "session", "Lists the commands of this session.",
      positionals: [Positional("text", .text, "only those that contain this", .optional)],
      flags: [Flag("json", "one JSON object per command"), Flag("csv", "comma-separated values")],
      effect: .session,
      examples: [Example("history", "all of them"), Example("history lr", "those that mention lr")])
  ) { invocation, state in
    let wanted = invocation.string("text")
    let records = state.journal.records.filter { record in
      wanted.map { record.typed.contains($0) } ?? true
    }
    let rows = records.map { record -> [Table.Cell] in
      let status = record.entry.status.rawValue
      let mark = ["ok": "✓", "failed": "✗", "interrupted": "‖"][status] ?? ""
      return [
        .init(record.number), .init(.text(status), text: mark),
        .init(seconds: Double(record.milliseconds) / 1000), .init(record.typed),
      ]
    }
    let table = Table(
      [
        .init("#", key: "number", .right), .init("", key: "status"),
        .init("time", key: "seconds", .right), .init("command"),
      ],
      rows: rows)
    try state.show(table, as: invocation)
  }

  private static let environment = Command<WorkbenchState>(
    Signature(
      "env", group: "session", "Shows the machine and the program.", effect: .look,
      examples: [Example("env", "everything"), Example("set threads=1; env", "with one thread")])
  ) { _, state in
    state.console.write(EnvironmentReport.text(state))
  }

  private static let note = Command<WorkbenchState>(
    Signature(
      "note", group: "session", "Keeps a remark; 'save' writes it into the script.",
      positionals: [Positional("text", .text, "the remark", .restOfLine)],
      effect: .annotation,
      examples: [
        Example("note a first try with a high rate", "a remark, which 'save' writes as a comment"),
        Example("note digits are never mirrored", "another one"),
      ])
  ) { _, _ in }

  private static let save = Command<WorkbenchState>(
    Signature(
      "save", group: "session", "Writes the session as a script that replays to the same bits.",
      discussion: """
        The script holds the commands that mattered: those that failed, those that only looked and \
        settings that nothing used are left out. A training that was stopped by hand is written with \
        stop-at=STEP or stop-after=EPOCH, so that its replay stops at the same place. Cells, notes \
        and comments stay, and it is checked that the script leaves everything as the session has it.

        --expect adds what was measured as demands, --raw keeps everything, failed commands as \
        comments, and cells= writes cells as they stand, whether they ran or not.
        """,
      positionals: [Positional("file", .path(.output), "the script, ending in .wb")],
      keys: [
        Parameter(
          "params", .list(of: .word),
          "values that the script offers as parameters: keys that were set, data, model"),
        Parameter("cells", .text, "cells as they stand instead: all, 3, 2..5 or an id"),
      ],
      flags: [
        Flag("raw", "keep every command"),
        Flag("expect", "demand the last epoch's metrics of every run"),
        Flag("force", "overwrite a file that this session did not write"),
      ],
      effect: .session,
      examples: [
        Example("save digits.wb", "what mattered"),
        Example("save everything.wb --raw", "everything"),
        Example("set lr=0.02; save rates.wb params=lr", "with -p lr=… for whoever replays it"),
      ])
  ) { invocation, state in
    var saving = SessionSaving(state: state)
    saving.isForced = invocation.has("force")
    saving.expects = invocation.has("expect")
    saving.parameters = invocation.strings("params")
    if invocation.has("raw") { saving.form = .raw }
    if let word = invocation.string("cells") {
      saving.form = .cells(try CellRunning(state: state).indices(of: word))
    }
    try saving.save(to: state.places.output(invocation.requiredString("file")))
  }

  private static let check = Command<WorkbenchState>(
    Signature(
      "check", group: "session", "Checks a script without running anything.",
      positionals: [Positional("file", .path(.input), "the script")], effect: .look,
      examples: [
        Example("check sessions/quickstart.wb", "a script that comes with the program"),
        Example("save mine.wb; check mine.wb", "what was just saved"),
      ])
  ) { invocation, state in
    let url = state.places.input(invocation.requiredString("file"))
    var situation = CheckSituation(state, ReplayOptions())
    situation.places.script = url.deletingLastPathComponent()
    try ScriptChecking.report(
      ScriptChecking.checked(try ScriptFile.read(url), as: .file, situation: situation),
      state.console)
  }

  private static let replay = Command<WorkbenchState>(
    Signature(
      "replay", group: "session",
      "Replays a script in a program of its own; this session stays as it is.",
      positionals: [Positional("file", .path(.input), "the script")],
      keys: [
        Parameter("out", .path(.directory), "the folder for runs/ and written files"),
        Parameter("from", .text, "begin with this cell: its number, id or title"),
        Parameter("to", .text, "end with this cell"),
        Parameter("time-limit", .duration, "stop and save after this time"),
      ],
      flags: [
        Flag("resume", "do not do again what is done and still the same"),
        Flag("plan", "show what would run, and run nothing"),
        Flag("smoke", "try everything in small, and keep nothing"),
        Flag("keep-going", "after a failure go on with what does not depend on it"),
      ],
      effect: .session,
      examples: [
        Example("replay sessions/quickstart.wb", "a script that comes with the program"),
        Example("save mine.wb; replay mine.wb out=again", "compare with the runs of this session"),
      ])
  ) { invocation, state in
    let file = state.places.input(invocation.requiredString("file"))
    let out = invocation.string("out").map(state.places.output) ?? state.places.output
    let options =
      ["from", "to", "time-limit"].flatMap { key in
        invocation.argument(key).map { ["--\(key)", $0.text] } ?? []
      } + invocation.flags.map { "--\($0)" }
    try ChildReplay.run(file, out: out, options: options)
  }

  private static let quit = Command<WorkbenchState>(
    Signature(
      "quit", aliases: ["exit"], group: "session", "Leaves the program.",
      flags: [Flag("force", "do not ask about commands that were not saved")],
      effect: .process,
      examples: [
        Example("quit", "asks if there is something to save"), Example("quit --force", "does not"),
      ])
  ) { invocation, state in
    state.quitsWithoutAsking = invocation.has("force")
    throw StopRun()
  }
}
