import DSL
import Foundation

// `import` and `export`: the way from a notebook, and to notebooks, reports and train.py.

enum NotebookCommands {
  static let all: [Command<WorkbenchState>] = [importNotebook, export]

  private static let importNotebook = Command<WorkbenchState>(
    Signature(
      "import", group: "session", "Turns a Jupyter notebook into a session file.",
      discussion: """
        Text stays text. A call of train.py (%run, !python, %%bash) becomes data, load, set and train \
        with the same meaning, a network of timm becomes load, what is printed about it info, \
        predict or features. What no command stands for is kept as a comment, and a warning names \
        its cell and line. Python scripts in cells (# %%) are read too.

        As in train.py, a call without --pretrained begins with new weights, and one without \
        --num-classes keeps 1000 outputs; --intent takes pretrained weights and a classifier of the \
        data's size, which is what the notebook's text says.
        """,
      positionals: [
        Positional("file", .path(.input), "the notebook (.ipynb) or script (.py)"),
        Positional(
          "output", .path(.output), "the session file, NAME.wb without; - prints it", .optional),
      ],
      flags: [
        Flag("intent", "fine-tune, as the text of the notebook says"),
        Flag("force", "overwrite a file"),
      ],
      effect: .session,
      examples: [
        Example("import main.ipynb", "writes main.wb"),
        Example("import main.ipynb fine-tuning.wb --intent", "with pretrained weights"),
      ])
  ) { invocation, state in
    let name = invocation.requiredString("file")
    try NotebookImport.run(
      state.places.input(name), named: name, to: invocation.string("output"),
      intent: invocation.has("intent"), force: invocation.has("force"), state.console, state.places)
  }

  private static let export = Command<WorkbenchState>(
    Signature(
      "export", group: "session", "Writes the session as a notebook or a report.",
      discussion: """
        FILE.ipynb is a notebook that runs the same commands through this program, a cell for each \
        cell, with the logs and pictures that there are. FILE.md and FILE.html are reports: the \
        commands, runs, settings and numbers, figures, environment and digests; the second holds its \
        pictures within.

        --train-py prints the call of the original notebook's train.py that means the same as the \
        present settings. What changes nothing is left out; what train.py lacks is named.
        """,
      positionals: [
        Positional(
          "file", .path(.output), "the file, ending in .ipynb, .md or .html", .optional)
      ],
      flags: [
        Flag("train-py", "print the flags of train.py"), Flag("force", "overwrite a file"),
      ],
      effect: .session,
      reads: [.slot("params.*"), .slot("data"), .slot("model")],
      examples: [
        Example("export session.ipynb", "a notebook"),
        Example("export report.html", "a report with its pictures"),
        Example("set epochs=50 mixup=0.2; export --train-py", "what to tell train.py"),
      ])
  ) { invocation, state in
    if invocation.has("train-py") {
      let call = TrainPyExport(state)
      call.remarks.forEach(state.console.warn)
      state.console.print(call.line)
    }
    guard let path = invocation.string("file") else {
      guard invocation.has("train-py") else {
        throw CommandError(
          "export what?", hint: "export FILE.ipynb, FILE.md or FILE.html, or export --train-py")
      }
      return
    }
    try SessionExport.write(
      ExportedCells.of(state.journal.records, state.cells.document), to: state.places.output(path),
      force: invocation.has("force"), state)
  }
}

/// Writes sessions in the forms that others read.
enum SessionExport {
  /// Writes cells as what the ending of the file's name says.
  static func write(
    _ cells: [SessionCell], to url: URL, force: Bool, _ state: WorkbenchState
  ) throws {
    let shown = state.places.display(url)
    guard force || !FileManager.default.fileExists(atPath: url.path) else {
      throw CommandError(
        "\(shown) exists", hint: "choose another name, or add --force", argument: "file")
    }
    guard !cells.isEmpty else {
      throw CommandError(
        "there is nothing to export yet", hint: "load data and a model, train, draw")
    }
    let text: String
    switch url.pathExtension.lowercased() {
    case "ipynb":
      text = String(
        decoding: try NotebookExport(cells: cells, places: state.places).json(), as: UTF8.self)
    case "md":
      text = MarkdownReport(folder: url.deletingLastPathComponent()).text(
        SessionReport(cells, state))
    case "html": text = HTMLReport().text(SessionReport(cells, state))
    default:
      throw CommandError(
        "'\(url.lastPathComponent)' ends in none of .ipynb, .md and .html", argument: "file")
    }
    try FileWriting.write(text, to: url)
    state.console.note("wrote \(shown)")
  }
}
