import DSL
import Foundation
import Testing

@testable import Workbench

/// Sessions as notebooks and reports.
@Suite struct NotebookExportTests {
  /// A text that is stored whole or by its lines.
  private struct Text: Decodable {
    var whole: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      whole =
        try (try? container.decode(String.self)) ?? container.decode([String].self).joined()
    }
  }

  private struct Notebook: Decodable {
    struct Cell: Decodable {
      struct Output: Decodable {
        var output_type: String
        var text: [String]?
        var data: [String: Text]?
      }
      var cell_type: String
      var id: String
      var source: [String]
      var outputs: [Output]?
    }
    var cells: [Cell]
    var nbformat: Int
    var nbformat_minor: Int
  }

  private func notebook(_ name: String, in folder: TestFolder) throws -> Notebook {
    try JSONDecoder().decode(
      Notebook.self, from: Data(contentsOf: folder.url.appending(path: name)))
  }

  private static let session = """
    note Digits, for a try
    \(ReplayTests.preparation)
    lod nothing
    info params
    train name=a epochs=1
    plot loss > loss.svg
    plot loss > loss.png
    eval
    export session.ipynb
    export report.md
    export report.html
    """

  @Test func aSessionBecomesANotebookThatRuns() throws {
    let folder = try TestFolder()
    let result = try BuiltProgram.run([], in: folder.url, input: Self.session)
    // The mistyped line ends a headless run, so the session is typed without it.
    #expect(result.status == 4)
    let typed = Self.session.replacing("lod nothing\n", with: "")
    let again = try BuiltProgram.run([], in: folder.url, input: typed)
    #expect(again.status == 0, "\(again.errors)")
    let notebook = try notebook("session.ipynb", in: folder)
    #expect(notebook.nbformat == 4 && notebook.nbformat_minor == 5)
    #expect(Set(notebook.cells.map(\.id)).count == notebook.cells.count)
    #expect(notebook.cells[0].cell_type == "markdown")
    #expect(notebook.cells[0].source == ["Digits, for a try"])
    let code = notebook.cells.filter { $0.cell_type == "code" }
    #expect(code.count == 3)
    #expect(code.allSatisfy { $0.source[0] == "%%script workbench --quiet\n" })
    #expect(code[0].source.joined().contains("info params\ntrain name=a epochs=1"))
    #expect(code[0].outputs?.first?.text?.joined().contains("finished: 1 epochs") == true)
    #expect(
      code[1].outputs?.contains { $0.data?["image/png"]?.whole.hasPrefix("iVBOR") == true } == true)
    #expect(
      code[1].outputs?.contains { $0.data?["image/svg+xml"]?.whole.hasSuffix("</svg>\n\n") == true }
        == true)
    let last = code[2].source.joined()
    #expect(last.contains("checkpoint load a") && last.hasSuffix("\neval"))
    #expect(!last.contains("train name="))

    // Each cell runs in a process of its own, as Jupyter would start it.
    for cell in code.dropFirst() {
      let run = try BuiltProgram.run(
        [], in: folder.url, input: cell.source.dropFirst().joined())
      #expect(run.status == 0, "\(run.errors)")
    }

    // And it comes back as what was typed.
    let back = try BuiltProgram.run(["import", "session.ipynb", "back.wb"], in: folder.url)
    #expect(back.status == 0 && !back.errors.contains("kept as a comment"), "\(back.errors)")
    let script = try folder.text("back.wb")
    let commands = script.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
    let wanted = typed.split(separator: "\n").map(String.init).filter {
      !$0.hasPrefix("note") && !$0.hasPrefix("export")
    }
    // What was typed, in the spelling that is written.
    let binder = Binder(vocabulary: CommandSet.table.vocabulary)
    #expect(try commands.dropFirst() == wanted.map { try binder.bind(line: $0).canonicalText }[...])
    #expect(script.contains("# Digits, for a try"))
  }

  @Test func reportsHoldWhatHappened() throws {
    let folder = try TestFolder()
    let typed = Self.session.replacing("lod nothing\n", with: "")
    let result = try BuiltProgram.run([], in: folder.url, input: typed)
    #expect(result.status == 0, "\(result.errors)")
    let text = try folder.text("report.md")
    for part in [
      "## Commands", "train name=a epochs=1", "| run | model |", "### Run a",
      "| batch-size | 32 | 8 |",
      "](<loss.png>)", "## Environment", "runs/a/ckpt/last.safetensors",
      "| digits (part of the program) | d8121ca7764e",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    let page = try folder.text("report.html")
    #expect(page.contains("src=\"data:image/png;base64,iVBOR"))
    #expect(page.contains("data:image/svg+xml;base64,") && !page.contains("src=\"loss"))
    #expect(page.contains("plot loss &gt; loss.png"))
    #expect(page.hasPrefix("<!DOCTYPE html>") && page.hasSuffix("</html>\n"))
  }

  @Test func nothingIsOverwrittenUnasked() throws {
    let folder = try TestFolder()
    let first = try BuiltProgram.run(
      ["-c", "info data; data digits limit=8; export a.md"], in: folder.url)
    #expect(first.status == 3)
    #expect(
      try BuiltProgram.run(["-c", "data digits limit=8; export a.md"], in: folder.url).status == 0)
    let again = try BuiltProgram.run(["-c", "data digits limit=8; export a.md"], in: folder.url)
    #expect(again.status == 3 && again.errors.contains("--force"))
    #expect(
      try BuiltProgram.run(["-c", "data digits limit=8; export a.md --force"], in: folder.url)
        .status == 0)
    let empty = try BuiltProgram.run(["-c", "export b.md"], in: folder.url)
    #expect(empty.status == 3 && empty.errors.contains("nothing to export"))
    #expect(
      try BuiltProgram.run(["-c", "data digits limit=8; export a.doc"], in: folder.url).status == 3)
  }

  @Test func aScriptWithLoopsAndParametersIsExportedUnrolled() throws {
    let folder = try TestFolder()
    try folder.write(
      """
      version 1
      param n:int = 16
      # %% About [markdown]
      # A sweep.

      # %% Sweep tags="slow"
      # both sizes
      data digits limit=${n}
      for s in 1 2 {
        seed ${s}
        load tf_efficientnetv2_b0
      }
      # %% Look
      info params

      """, to: "s.wb")
    let result = try BuiltProgram.run(["export", "s.wb", "s.ipynb"], in: folder.url)
    #expect(result.status == 0, "\(result.errors)")
    let cells = try notebook("s.ipynb", in: folder).cells.map { $0.source.joined() }
    #expect(cells[0] == "## About\n\nA sweep.")
    #expect(cells[1] == "### Sweep")
    #expect(
      cells[2] == "%%script workbench --quiet\n# both sizes\ndata digits limit=16\nseed 1\n"
        + "load tf_efficientnetv2_b0\nseed 2\nload tf_efficientnetv2_b0")
    #expect(
      cells[4]
        == "%%script workbench --quiet\n# --- from earlier cells\ndata digits limit=16\nseed 2\n"
        + "load tf_efficientnetv2_b0\n# --- this cell\ninfo params")
  }
}
