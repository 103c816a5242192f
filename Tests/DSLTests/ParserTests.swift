import DSL
import Testing

@Suite struct ParserTests {
  static func parse(_ text: String) -> Script { Parser.parse(Source(name: "t", text: text)) }

  @Test(arguments: [
    ("", false), ("set lr=0.1", false), ("set lr=0.1 \\", true), ("set lr=0.1 \\\n", true),
    ("note \"abc", true), ("note \"abc\n\n", true), ("note \"abc\"", false),
    ("set scale=[1,", true), ("set scale=[1,\n2]", false), ("for a in 1 2 {", true),
    ("for a in 1 2 {\n  seed ${a}\n", true), ("for a in 1 2 {\n  seed ${a}\n}", false),
    ("for a in 1 { for b in 2 {", true), ("for a in 1 { for b in 2 { } }", false),
    ("note \"a\" \"b", true), ("# it's \"open", false), ("!echo \"open", false),
    ("set lr=", false), ("}", false), ("\\", true), ("for a in 1 2", false),
    ("note \"\\\"", true),
  ])
  func incomplete(text: String, isIncomplete: Bool) {
    #expect(Parser.isIncomplete(text) == isIncomplete)
  }

  @Test func statementsHaveTheirRanges() {
    let marked = MarkedText("1️⃣load b0 pretrained2️⃣ # c\n  3️⃣set lr=0.14️⃣ ; 5️⃣train6️⃣")
    let ranges = Self.parse(marked.text).statements.map(\.range)
    let places = marked.places
    #expect(
      ranges == [
        SourceRange(places[0], places[1]), SourceRange(places[2], places[3]),
        SourceRange(places[4], places[5]),
      ])
  }

  @Test func argumentsKeepTheirForm() throws {
    let script = Self.parse("plot top1,top5 runs=[a, \"b\"] --log x=time > \"a b.png\"")
    #expect(script.diagnostics.isEmpty)
    guard case .command(let command)? = script.statements.first else {
      Issue.record("no command")
      return
    }
    #expect(command.verb.text == "plot")
    #expect(command.arguments.count == 5)
    guard case .key(let name, let value) = command.arguments[1].kind else {
      Issue.record("no key")
      return
    }
    #expect(name.text == "runs")
    guard case .list(let items) = value.form else {
      Issue.record("no list")
      return
    }
    #expect(items.count == 2)
    guard case .output(let path) = command.arguments[4].kind else {
      Issue.record("no output")
      return
    }
    #expect(path.form == .string([.literal("a b.png")]))
  }

  @Test func cellsCommentsAndTextAreKept() {
    let script = Self.parse(
      """
      #!/usr/bin/env -S workbench replay
      version 1
      # %% Intro [markdown] id="intro"
      # Some *text*.
      #
      # %% Train "quoted" title id="train" tags="slow, big"
      train   #> epoch 1
      # %%
      # %% [md]
      # %% tags=["a", "b"] x="1 \\" 2"
      """)
    #expect(script.diagnostics.isEmpty)
    let cells = script.cells
    #expect(cells.map(\.number) == [0, 1, 2, 3, 4, 5])
    #expect(
      cells.map(\.label) == [
        "the preamble", "cell 1 \"Intro\"", "cell 2 \"Train \"quoted\" title\"", "cell 3", "cell 4",
        "cell 5",
      ])
    #expect(cells[1].marker?.isMarkdown == true)
    #expect(cells[1].marker?.id == "intro")
    #expect(cells[1].items.count == 2)
    #expect(cells[2].marker?.tags == ["slow", "big"])
    #expect(cells[2].statements.count == 1)
    guard case .comment(let trailing)? = cells[2].items.last else {
      Issue.record("no comment")
      return
    }
    #expect(trailing.isTrailing)
    #expect(trailing.text == "> epoch 1")
    #expect(cells[4].marker?.isMarkdown == true)
    #expect(cells[5].marker?.tags == ["a", "b"])
    #expect(cells[5].marker?.attributes.last?.value == "1 \" 2")
    // The cells cover the text without a gap.
    #expect(cells.first?.range.start == 0)
    #expect(zip(cells, cells.dropFirst()).allSatisfy { $0.range.end == $1.range.start })
    #expect(cells.last?.range.end == script.source.text.utf8.count)
  }

  @Test func declarations() {
    let script = Self.parse(
      """
      version 1
      param epochs:int = 50 in 1.. "training epochs"
      param data = cifar10 in cifar10 | cifar100
      param rate:float=0.1
      param a=b
      for model in b0 b1, data2 in "c 10" c100 {
        data ${data2}
        load ${model}
      }
      """)
    #expect(script.diagnostics.isEmpty)
    #expect(script.version?.number == 1)
    var parameters: [ParameterSyntax] = []
    for case .parameter(let parameter) in script.statements { parameters.append(parameter) }
    #expect(parameters.map(\.name.text) == ["epochs", "data", "rate", "a"])
    #expect(parameters.map { $0.type?.text } == ["int", nil, "float", nil])
    #expect(parameters.map { $0.domain?.text } == ["1..", "cifar10|cifar100", nil, nil])
    #expect(parameters[0].help == "training epochs")
    guard case .loop(let loop)? = script.statements.last else {
      Issue.record("no loop")
      return
    }
    #expect(loop.clauses.map(\.name.text) == ["model", "data2"])
    #expect(loop.clauses.map(\.values.count) == [2, 2])
    #expect(loop.body.count == 2)
  }

  @Test func aBareAssignmentIsFlagged() {
    guard case .command(let command)? = Self.parse("lr=0.1 bs=3").statements.first else {
      Issue.record("no command")
      return
    }
    #expect(command.isBareAssignment)
    #expect(command.verb.text == "set")
    #expect(command.arguments.count == 2)
  }

  @Test func allFaultsAreReportedTogether() {
    expectFindings(
      "set lr=1️⃣\"a2️⃣\nload b0\n3️⃣}4️⃣\nset 5️⃣lr = 36️⃣\ntrain\n",
      [.unclosedString, .strayBrace, .spacedAssignment])
  }

  @Test func semanticFaultsAreReportedBesideSyntacticOnes() {
    expectFindings(
      "set 1️⃣lr = 32️⃣\n3️⃣lod4️⃣ b0\nset epochs=5️⃣x6️⃣", [.spacedAssignment, .unknownCommand, .badValue])
  }

  @Test func rangesInUnicodeText() {
    expectFindings("note \"日本 é\"; set 1️⃣größe=32️⃣", [.unexpectedArgument])
    expectFindings("plot loss title=日本 1️⃣xé2️⃣ x=time", [.unexpectedArgument])
  }
}
