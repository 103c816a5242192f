import DSL
import Foundation

/// A notebook as a session file.
struct NotebookImport {
  /// The text of the session file.
  let text: String
  /// What was not taken over, in order.
  let remarks: [NotebookTranslator.Remark]
  /// `14 cells, 39 commands`
  let summary: String

  /// Translates a notebook.
  ///
  /// - Parameters:
  ///   - name: the notebook's file, for the heading.
  ///   - intent: see ``NotebookTranslator``.
  init(_ notebook: JupyterNotebook, named name: String, intent: Bool) {
    var translator = NotebookTranslator(intent: intent)
    var parts: [[String]] = []
    for (index, cell) in notebook.cells.enumerated() {
      parts.append(translator.translate(cell, number: index + 1))
    }
    let header = [
      "#!/usr/bin/env -S workbench replay", "version 1",
      "# imported from \(NotebookTranslator.clean(name)) by workbench \(ProgramVersion.number)",
    ]
    let blocks = ([header] + parts).map { $0.joined(separator: "\n") + "\n" }
    text = blocks.joined(separator: "\n")
    remarks = translator.remarks
    func counted(_ count: Int, _ word: String) -> String {
      "\(count) \(word)\(count == 1 ? "" : "s")"
    }
    summary =
      counted(notebook.cells.count, "cell") + ", " + counted(translator.commandCount, "command")
      + (remarks.isEmpty ? "" : ", " + counted(remarks.count, "remark"))
  }

  /// Imports a file and writes the session file, or prints it for `-`.
  ///
  /// - Parameter name: the notebook as the user wrote it.
  static func run(
    _ file: URL, named name: String, to output: String?, intent: Bool, force: Bool,
    _ console: Console, _ places: Places
  ) throws {
    let result = NotebookImport(
      try JupyterNotebook(contentsOf: file, named: name), named: file.lastPathComponent,
      intent: intent)
    for remark in result.remarks {
      let line = remark.line.map { ", line \($0)" } ?? ""
      console.warn("\(name): cell \(remark.cell)\(line): \(remark.message)")
    }
    guard output != "-" else {
      console.write(result.text)
      return console.note(result.summary)
    }
    let target = places.output(
      output ?? file.deletingPathExtension().lastPathComponent + ".wb")
    guard target.pathExtension == "wb" else {
      throw CommandError(
        "a session file ends in .wb, not '\(target.lastPathComponent)'", argument: "output")
    }
    guard force || !FileManager.default.fileExists(atPath: target.path) else {
      throw CommandError(
        "\(places.display(target)) exists", hint: "choose another name, or add --force",
        argument: output == nil ? "file" : "output")
    }
    // A script that is doubtful is written all the same: its owner mends it.
    let source = Source(name: places.display(target), text: result.text)
    let findings = ScriptChecking.checked(source, as: .file).diagnostics
    try FileWriting.write(result.text, to: target, executable: true)
    if !findings.isEmpty {
      let renderer = Renderer(usesColor: console.messageStyle.isColored)
      console.message(renderer.render(findings, in: source).trimmingNewline)
    }
    console.note(result.summary)
    console.print(
      "wrote \(places.display(target)); see what it would do: workbench check \(places.display(target))"
    )
  }
}
