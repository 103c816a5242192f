import DSL
import Testing

@Suite struct RendererTests {
  @Test func theLookOfTheContract() {
    let text = String(repeating: "\n", count: 13) + "set warmup-epoch=5 lr=0.01\n"
    let source = Source(name: "cifar.wb", text: text)
    let checked = Fake.checker().check(source, as: .inline)
    let rendered = Renderer().render(
      checked.diagnostics, in: source,
      context: "in cell 2 \"Train\" · 0 of 5 cells run · nothing was changed")
    #expect(
      rendered == """
        cifar.wb:14:5: error: unknown hyperparameter 'warmup-epoch'
         14 | set warmup-epoch=5 lr=0.01
            |     ^^^^^^^^^^^^ did you mean 'warmup-epochs' (int, default 3)?
         in cell 2 "Train" · 0 of 5 cells run · nothing was changed

        """)
  }

  /// Carets stand below what they mean, whatever stands before it.
  @Test(arguments: [
    ("\tset zz=1", "    set zz=1", "        ^^"),
    ("a\tset zz", "a   set zz", "        ^^"),
    ("日本 zz=1", "日本 zz=1", "     ^^"),
    ("é e\u{301} zz", "é e\u{301} zz", "    ^^"),
    ("👩‍👩‍👧 zz", "👩‍👩‍👧 zz", "   ^^"),
    ("\u{7} zz", "\u{FFFD} zz", "  ^^"),
    ("한 zz\r", "한 zz", "   ^^"),
  ])
  func alignment(line: String, shown: String, carets: String) throws {
    let source = Source(name: "t", text: line)
    let before = try #require(line.firstRange(of: "zz")).lowerBound
    let start = line.utf8.distance(from: line.startIndex, to: before)
    let diagnostic = Diagnostic(code: "x", message: "m", at: SourceRange(start, start + 2))
    let lines = Renderer(showsLocation: false).render([diagnostic], in: source)
      .split(separator: "\n")
    #expect(lines == ["error: m", " 1 | \(shown)", "   | \(carets)"])
  }

  @Test func wideTextIsMarkedInFull() {
    let source = Source(name: "t", text: "a 日本 b")
    let diagnostic = Diagnostic(code: "x", message: "m", at: SourceRange(2, 8))
    #expect(Renderer().render([diagnostic], in: source).contains("   |   ^^^^\n"))
  }

  @Test func rangesOverSeveralLinesMarkTheFirst() {
    let source = Source(name: "t", text: "ab\ncd\n")
    let whole = Diagnostic(code: "x", message: "m", at: SourceRange(1, 5))
    #expect(Renderer().render([whole], in: source) == "t:1:2: error: m\n 1 | ab\n   |  ^\n")
    let end = Diagnostic(code: "x", message: "m", at: SourceRange(6, 6))
    #expect(Renderer().render([end], in: source) == "t:3:1: error: m\n 3 | \n   | ^\n")
  }

  @Test func withoutAPlace() {
    let diagnostic = Diagnostic(.warning, code: "x", message: "m", hint: "do it")
    #expect(Renderer().render([diagnostic], in: nil) == "warning: m\n do it\n")
  }

  @Test func colourOnlyOnRequest() {
    let source = Source(name: "t", text: "set")
    let diagnostic = Diagnostic(code: "x", message: "a\u{1B}[2Jb", at: SourceRange(0, 3))
    #expect(!Renderer().render([diagnostic], in: source).contains("\u{1B}"))
    let coloured = Renderer(usesColor: true).render([diagnostic], in: source)
    #expect(coloured.contains("\u{1B}[1;31merror:\u{1B}[0m a\u{FFFD}[2Jb"))
  }
}
