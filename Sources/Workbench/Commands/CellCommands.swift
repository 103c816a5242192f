import DSL
import Foundation
import Model

// `open`, `cells`, `run`, `step`, `cell`, `edit`, `drop`, `move`: the session as a notebook.

enum CellCommands {
  static let all: [Command<WorkbenchState>] = [
    open, cells, run, step, cell, edit, drop, move, reset,
  ]

  /// The commands that change the cells themselves, which `undo` takes back.
  static let changingCells: Set<String> = ["open", "cell", "edit", "drop", "move"]

  private static let open = Command<WorkbenchState>(
    Signature(
      "open", group: "cells", "Opens a script as the session's cells, without running anything.",
      discussion: """
        'cells' lists them, 'step' runs the next one, 'run 2..5' some, 'run all' the rest. The \
        state stays as it is; what is typed at the prompt goes into the last cell that ran.
        """,
      positionals: [Positional("file", .path(.input), "the script")], effect: .session,
      examples: [
        Example(
          "open sessions/quickstart.wb; cells", "look at a script that comes with the program"),
        Example("open sessions/quickstart.wb; step", "run its first cell"),
      ])
  ) { invocation, state in
    let name = invocation.requiredString("file")
    let source = try ScriptFile.read(state.places.input(name), named: name)
    let script = Parser.parse(source)
    if script.diagnostics.containsErrors {
      throw ScriptError(script.diagnostics, in: source)
    }
    let document = CellDocument(script, firstKey: state.cells.document.unusedKey)
    state.cells.replace(document)
    state.cells.currentKey = document.cells[0].key
    let count = document.cells.dropFirst().count
    state.console.print(
      "\(name): \(count == 1 ? "1 cell" : "\(count) cells"); 'step' runs the next, 'cells' lists them"
    )
  }

  private static let cells = Command<WorkbenchState>(
    Signature(
      "cells", group: "cells", "Lists the session's cells and how they stand.",
      discussion: """
        ✓ has run, · is new or was edited since, ~ is stale: what it read has changed since it ran, \
        ✗ failed, ‖ was stopped. Cell 0 is what stands before the first '# %%'.
        """,
      positionals: [Positional("cell", .text, "a cell, to be shown with its lines", .optional)],
      flags: [Flag("json", "one JSON object per cell"), Flag("csv", "comma-separated values")],
      effect: .session,
      examples: [
        Example("cells", "all of them"), Example("open sessions/quickstart.wb; cells 1", "one"),
      ])
  ) { invocation, state in
    let document = state.cells.document
    if let name = invocation.string("cell") {
      let cell = document.cells[try CellRunning(state: state).place(name, argument: "cell")]
      if cell.key != document.cells[0].key { state.console.print(cell.marker) }
      return state.console.print(cell.text)
    }
    let marks = state.cells.marks
    var rows: [[Table.Cell]] = []
    for (index, cell) in document.cells.enumerated() where index > 0 || !cell.text.isEmpty {
      let mark = marks[index]
      let run = state.cells.runs[cell.key]
      rows.append([
        .init(index), .init(.text(mark.rawValue), text: mark.sign, role: role(mark)),
        .init(cell.id ?? ""), .init(index == 0 ? "(preamble)" : cell.title),
        .init(cell.isMarkdown ? 0 : cell.commandLines.count),
        .init(seconds: run.map { Double($0.milliseconds) / 1000 }),
        .init(cell.tags.joined(separator: ",")),
        .init(cell.isMarkdown ? "text" : String(cell.commandLines.first ?? "")),
      ])
    }
    let table = Table(
      [
        .init("#", key: "number", .right), .init("", key: "status"), .init("id"), .init("title"),
        .init("lines", .right), .init("time", key: "seconds", .right), .init("tags"),
        .init("begins with", key: "first"),
      ], rows: rows)
    guard !rows.isEmpty || state.console.isForPrograms else {
      return state.console.print(
        "no cells yet; what you type becomes one, 'open FILE.wb' brings some")
    }
    try state.show(table, as: invocation)
  }

  private static func role(_ mark: SessionCells.Mark) -> Style.Role? {
    switch mark {
    case .new: nil
    case .done: .success
    case .stale, .stopped: .warning
    case .failed: .error
    }
  }

  private static let run = Command<WorkbenchState>(
    Signature(
      "run", group: "cells", "Runs cells: by number, id or title, a range, stale ones or all.",
      discussion: """
        Cells run in the order that is given, up to the first failure. 'run stale' runs those whose \
        results are out of date, with the cells above them that must run again for that. --fresh \
        begins with 'reset'. Nothing ever runs by itself.
        """,
      positionals: [
        Positional("cells", .text, "3, 2..5, an id, stale or all", .variadic(minimum: 1))
      ],
      flags: [Flag("fresh", "forget model, data and settings first")],
      effect: .session,
      examples: [
        Example("open sessions/quickstart.wb; run 1", "the first cell"),
        Example("open sessions/quickstart.wb; run all --fresh", "everything, from nothing"),
        Example("run stale", "what is out of date"),
      ])
  ) { invocation, state in
    let cells = CellRunning(state: state)
    if invocation.has("fresh") { try cells.run(line: "reset") }
    for word in invocation.strings("cells") {
      if word == "stale" {
        try runStale(cells, state)
      } else {
        try cells.run(try cells.indices(of: word))
      }
    }
  }

  private static func runStale(_ cells: CellRunning, _ state: WorkbenchState) throws {
    let refresh = state.cells.refresh(from: state.journal.slotKeys)
    guard !refresh.cells.isEmpty else { return state.console.print("nothing is stale") }
    if !refresh.unset.isEmpty {
      try cells.run(line: "unset " + refresh.unset.joined(separator: " "))
    }
    try cells.run(refresh.cells)
  }

  private static let step = Command<WorkbenchState>(
    Signature(
      "step", group: "cells", "Runs the next cell that has not run as it is now.",
      positionals: [
        Positional("count", .integer(.from(1)), "how many cells; 1 without", .optional)
      ],
      effect: .session,
      examples: [
        Example("open sessions/quickstart.wb; step", "its first cell"),
        Example("open sessions/quickstart.wb; step 2", "its first two"),
      ])
  ) { invocation, state in
    let cells = CellRunning(state: state)
    for _ in 0..<(invocation.integer("count") ?? 1) {
      guard let next = cells.next else {
        let stale = state.cells.stale.count
        let rest = stale > 0 ? "; \(stale) are stale: 'run stale'" : ""
        return state.console.print("all cells have run\(rest)")
      }
      try cells.run([next])
    }
  }

  private static let cell = Command<WorkbenchState>(
    Signature(
      "cell", group: "cells", "Begins a cell; what is typed from now on belongs to it.",
      discussion: """
        'save' writes it as '# %% TITLE', which editors fold and other notebooks read. A markdown \
        cell holds text: 'note' adds to it.
        """,
      positionals: [Positional("title", .text, "the title", .optional)],
      keys: [
        Parameter("id", .word, "a short name for 'run' and 'replay --from'"),
        Parameter("tags", .list(of: .word), "words for 'replay --tags' and '--skip'"),
      ],
      flags: [Flag("markdown", "a cell of text", isBareWord: true)],
      effect: .session,
      examples: [
        Example("cell \"Train\" id=train tags=slow", "a cell with a name and a tag"),
        Example("cell \"What this is about\" markdown; note three networks", "a cell of text"),
      ])
  ) { invocation, state in
    let id = invocation.string("id")
    if let id, let other = state.cells.document.cells.firstIndex(where: { $0.id == id }) {
      throw CommandError(
        "\(state.cells.document.label(other)) has the id '\(id)'", hint: "ids are given once",
        argument: "id")
    }
    state.cells.currentKey = state.cells.document.append(
      title: invocation.string("title") ?? "", id: id, tags: invocation.strings("tags"),
      isMarkdown: invocation.has("markdown"))
  }

  private static let edit = Command<WorkbenchState>(
    Signature(
      "edit", group: "cells", "Opens a cell in your editor ($VISUAL or $EDITOR).",
      discussion:
        "The cell is not run; 'run N' does that. Markers (# %%) make further cells of it.",
      positionals: [Positional("cell", .text, "the cell; the current one without", .optional)],
      effect: .session, allowedInScripts: false,
      examples: [Example("edit 3", "the third cell"), Example("edit", "the current one")])
  ) { invocation, state in
    let document = state.cells.document
    let index =
      try invocation.string("cell").map {
        try CellRunning(state: state).place($0, argument: "cell")
      } ?? document.index(ofKey: state.cells.currentKey) ?? document.cells.count - 1
    let cell = document.cells[index]
    let edited = try ExternalEditor.edit(cell.text, named: "cell-\(index).wb")
    let script = Parser.parse(Source(name: document.label(index), text: edited))
    state.cells.document.replace(index, with: script)
    if state.cells.document.cells == document.cells {
      state.console.print("\(document.label(index)) is as it was")
    } else {
      state.console.print("\(document.label(index)) was changed; 'run \(index)' runs it")
    }
    if script.diagnostics.containsErrors {
      let renderer = Renderer(usesColor: state.console.messageStyle.isColored)
      state.console.message(renderer.render(script.diagnostics, in: script.source).trimmingNewline)
    }
  }

  private static let drop = Command<WorkbenchState>(
    Signature(
      "drop", group: "cells", "Takes cells out; what they did stays done.",
      positionals: [Positional("cells", .text, "3, 2..5, an id", .variadic(minimum: 1))],
      effect: .session,
      examples: [
        Example("open sessions/quickstart.wb; drop 2", "the second cell"),
        Example("open sessions/quickstart.wb; drop 1..2", "two cells"),
      ])
  ) { invocation, state in
    let cells = CellRunning(state: state)
    let indices = try Set(invocation.strings("cells").flatMap(cells.indices))
    let labels = indices.sorted().map(state.cells.document.label)
    for index in indices.sorted(by: >) { state.cells.document.drop(index) }
    if state.cells.document.index(ofKey: state.cells.currentKey) == nil {
      state.cells.currentKey = state.cells.document.cells.last?.key ?? 0
    }
    state.console.print("dropped \(labels.joined(separator: ", ")); 'undo' brings it back")
  }

  private static let reset = Command<WorkbenchState>(
    Signature(
      "reset", group: "cells", "Starts over: no model, no data, every setting at its default.",
      discussion: "Cells, runs and files stay. 'run all --fresh' resets and runs every cell.",
      restoresDefaults: true, effect: .change,
      writes: [.slot("params.*"), .slot("data"), .slot("model"), .slot("run:current")],
      examples: [
        Example("reset", "as after the start of the program"),
        Example("set lr=0.3; reset; show", "no setting differs"),
      ])
  ) { _, state in
    state.model = nil
    state.data = nil
    state.currentRun = nil
    for key in state.values.changed.map(\.name) where !state.forcedKeys.contains(key) {
      _ = try state.values.unset(key)
      state.sources[key] = nil
    }
  }

  private static let move = Command<WorkbenchState>(
    Signature(
      "move", group: "cells", "Moves a cell before or behind another one.",
      positionals: [
        Positional("cell", .text, "the cell"),
        Positional("side", .choice(["before", "after"]), "on which side of the other"),
        Positional("other", .text, "the other cell"),
      ],
      effect: .session,
      examples: [
        Example("open sessions/quickstart.wb; move 2 before 1", "the second cell first"),
        Example("open sessions/quickstart.wb; move 1 after 2", "the first cell second"),
      ])
  ) { invocation, state in
    let cells = CellRunning(state: state)
    let from = try cells.place(invocation.requiredString("cell"), argument: "cell")
    let other = try cells.place(invocation.requiredString("other"), argument: "other")
    let isBefore = invocation.string("side") == "before"
    guard from > 0, other > 0 || !isBefore else {
      throw CommandError("the preamble stays where it is", argument: from == 0 ? "cell" : "other")
    }
    guard from != other else { return }
    let target = (isBefore ? other : other + 1) - (from < other ? 1 : 0)
    state.cells.document.move(from, to: target)
    state.console.print("\(state.cells.document.label(target)) has moved")
  }
}
