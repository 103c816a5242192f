import DSL
import Testing

@Suite struct CellDocumentTests {
  static let text = """
    #!/usr/bin/env -S workbench replay
    version 1
    # saved 2026-01-02T10:11:12Z by workbench 0.1.0 from session x
    # About this file.
    param n:int = 3

    # %% What it is [markdown] lang="en"
    # Three networks,
    # two data sets.

    # %% Load id="load"
    # a small one
    load b0

    # %% Train \\"all\\" id="train" tags="slow,gpu"
    for l in 0.1 0.2 {
      train name=r-${l}
    }
    # %%
    plot loss
    """

  static func document(_ text: String = text) -> CellDocument {
    CellDocument(Parser.parse(Source(name: "t", text: text)))
  }

  @Test func aScriptsCells() throws {
    let document = Self.document()
    #expect(document.cells.map(\.title) == ["", "What it is", "Load", "Train \\\"all\\\"", ""])
    #expect(document.cells.map(\.id) == [nil, nil, "load", "train", nil])
    #expect(document.cells.map(\.isMarkdown) == [false, true, false, false, false])
    #expect(document.cells[3].tags == ["slow", "gpu"])
    #expect(document.cells[0].text == "# About this file.\nparam n:int = 3")
    #expect(document.cells[1].text == "# Three networks,\n# two data sets.")
    #expect(document.cells[3].commandLines.count == 3)
    #expect(document.cells[1].attributes.map(\.key) == ["lang"])
  }

  @Test func whatIsWrittenReadsTheSame() {
    let document = Self.document()
    let again = Self.document("version 1\n" + document.text)
    #expect(again == document)
    #expect(document.text.contains("# %% Train \\\"all\\\" id=\"train\" tags=\"slow,gpu\"\n"))
  }

  @Test func awkwardTitlesAndAttributes() {
    var document = CellDocument()
    document.append(title: "a \"b\" = c", id: "x\"y\\z", tags: ["one"])
    document.append(title: "", isMarkdown: true)
    let again = Self.document("version 1\n" + document.text)
    #expect(again == document)
  }

  @Test func cellsAreFoundByNumberIdAndTitle() {
    let document = Self.document()
    #expect(document.index(of: "2") == 2)
    #expect(document.index(of: "train") == 3)
    #expect(document.index(of: "load") == 2)
    #expect(document.index(of: "what it is") == 1)
    #expect(document.index(of: "5") == nil && document.index(of: "nothing") == nil)
    #expect(document.label(0) == "the preamble" && document.label(4) == "cell 4")
  }

  @Test func cellsMoveAndKeepTheirKeys() {
    var document = Self.document()
    let keys = document.cells.map(\.key)
    document.move(3, to: 1)
    #expect(document.cells.map(\.key) == [0, 3, 1, 2, 4].map { keys[$0] })
    document.drop(2)
    #expect(document.cells.map(\.key) == [0, 3, 2, 4].map { keys[$0] })
    document.drop(0)
    #expect(document.cells[0].text.isEmpty && document.cells.count == 4)
    let new = document.append(title: "new")
    #expect(!keys.contains(new))
  }

  @Test func anEditedCellCanBecomeSeveral() {
    var document = Self.document()
    let key = document.cells[2].key
    let edited = Parser.parse(Source(name: "e", text: "load b1\n\n# %% Second\nload b2\n"))
    document.replace(2, with: edited)
    #expect(document.cells[2].text == "load b1" && document.cells[2].key == key)
    #expect(document.cells[3].title == "Second" && document.cells[3].text == "load b2")
    #expect(Set(document.cells.map(\.key)).count == document.cells.count)
  }

  @Test func commentsBelongToTheNextStatement() {
    let source = Source(
      name: "t",
      text:
        "# one\n# two\nset lr=1 # trailing\n# %% Cell\nload b0\n# loop\nfor a in 1 {\n  # in\n  seed 1\n}\n"
    )
    let script = Parser.parse(source)
    let found = script.leadingComments.map { start, comments in
      (source.text(in: SourceRange(start, start + 4)), comments)
    }.sorted { $0.0 < $1.0 }
    #expect(found.map(\.0) == ["seed", "set "])
    #expect(found.map(\.1) == [["# loop", "# in"], ["# one", "# two"]])
  }
}
