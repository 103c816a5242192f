import DSL
import Foundation

// `undo`, `redo`, `recover`: nothing is lost.

enum UndoCommands {
  static let all: [Command<WorkbenchState>] = [undo, redo, recover]

  private static let undo = Command<WorkbenchState>(
    Signature(
      "undo", group: "session", "Takes back what the last commands changed, trainings included.",
      discussion: """
        Settings, data, network, cells and the current run are as they were before. Nothing is \
        deleted: the folder of a training that is taken back is kept as runs/NAME.undone, files that \
        were written stay. 'save' leaves out what is undone. Undoing ends with the session.
        """,
      positionals: [
        Positional("count", .integer(.from(1)), "how many commands; 1 without", .optional)
      ],
      flags: [Flag("list", "show what can be undone, and what it takes on disk")],
      effect: .session, allowedInScripts: false,
      examples: [
        Example("set lr=0.3; undo", "the old rate again"), Example("undo --list", "what there is"),
      ])
  ) { invocation, state in
    let history = try history(state)
    if invocation.has("list") { return try list(history, invocation, state) }
    for _ in 0..<(invocation.integer("count") ?? 1) {
      guard let step = try history.undo(state) else {
        return state.console.print("there is nothing to undo")
      }
      state.journal.mark(step.record, isUndone: true)
      state.console.print("undid '\(step.text)'")
      if let name = step.run?.undoneName {
        state.console.note("its run is kept as runs/\(name)")
      }
      if !step.files.isEmpty {
        state.console.note("what it wrote stays: \(step.files.joined(separator: ", "))")
      }
    }
  }

  private static let redo = Command<WorkbenchState>(
    Signature(
      "redo", group: "session",
      "Does again what 'undo' took back, as long as nothing new was done.",
      positionals: [
        Positional("count", .integer(.from(1)), "how many commands; 1 without", .optional)
      ],
      effect: .session, allowedInScripts: false,
      examples: [
        Example("set lr=0.3; undo; redo", "0.3 after all"), Example("redo 2", "two commands"),
      ])
  ) { invocation, state in
    let history = try history(state)
    for _ in 0..<(invocation.integer("count") ?? 1) {
      guard let step = try history.redo(state) else {
        return state.console.print("there is nothing to redo")
      }
      state.journal.mark(step.record, isUndone: false)
      state.console.print("did '\(step.text)' again")
    }
  }

  private static func history(_ state: WorkbenchState) throws -> UndoHistory {
    guard let history = state.undo else {
      throw CommandError("only the prompt can undo", hint: "a script is run anew instead")
    }
    return history
  }

  private static func list(
    _ history: UndoHistory, _ invocation: Invocation, _ state: WorkbenchState
  ) throws {
    let steps =
      history.done.reversed().map { ("undo", $0) } + history.undone.reversed().map { ("redo", $0) }
    guard !steps.isEmpty else { return state.console.print("there is nothing to undo") }
    let rows = steps.map { kind, step -> [Table.Cell] in
      let bytes = step.snapshot.bytes
      return [
        .init(kind), .init(step.text),
        .init(.integer(bytes), text: bytes > 0 ? NumberText.bytes(bytes) : "–"),
      ]
    }
    state.console.print(
      Table([.init("by"), .init("command"), .init("on disk", key: "bytes", .right)], rows: rows))
  }

  private static let recover = Command<WorkbenchState>(
    Signature(
      "recover", group: "session", "Brings back a session that ended in a crash.",
      discussion: """
        Settings, data and network are loaded again, trainings are taken from their checkpoints, \
        cells and history are as they were. At most the command that was running is lost, and of a \
        training at most the epoch that was running.
        """,
      positionals: [Positional("session", .text, "the session; the latest without", .optional)],
      flags: [Flag("list", "show the sessions that can be recovered")],
      effect: .session, allowedInScripts: false,
      examples: [
        Example("recover --list", "what there is"),
        Example("recover 20260102-101112-4711", "a certain session"),
      ])
  ) { invocation, state in
    let crashed = RecordedSession.crashed(in: HomeFolder.journals, besides: state.journal.session)
    if invocation.has("list") { return list(crashed, state) }
    let wanted = invocation.string("session")
    let here = crashed.filter { $0.place?.output == state.places.output.path }
    guard
      let found = wanted.map({ name in crashed.first { $0.name == name } })
        ?? (here.first ?? crashed.first)
    else {
      throw CommandError(
        wanted.map { "there is no crashed session '\($0)'" } ?? "no session ended in a crash",
        hint: wanted == nil ? nil : "'recover --list' shows those that can be recovered")
    }
    try SessionRecovery(recorded: found, state: state).run()
  }

  private static func list(_ crashed: [RecordedSession], _ state: WorkbenchState) {
    guard !crashed.isEmpty else { return state.console.print("no session ended in a crash") }
    let rows = crashed.map { session -> [Table.Cell] in
      [
        .init(session.name), .init(DateText.minute(session.modified)),
        .init(session.records.count), .init(session.place?.output ?? ""),
        .init(session.unfinished?.text ?? ""),
      ]
    }
    state.console.print(
      Table(
        [
          .init("session"), .init("ended", key: "modified"), .init("commands", .right),
          .init("in", key: "folder"), .init("while", key: "unfinished"),
        ], rows: rows))
  }
}
