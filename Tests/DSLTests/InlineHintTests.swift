import DSL
import Testing

/// What stands faintly behind a line that is being typed.
@Suite struct InlineHintTests {
  /// The hint behind a line; what can be taken over begins with `→`.
  private static func hint(_ line: String, history: [String] = []) -> String? {
    InlineHint.after(
      line, history: history, vocabulary: Fake.vocabulary, provider: FakeProvider()
    ).map { ($0.isText ? "→" : "") + $0.text }
  }

  @Test(arguments: [
    // The only word that completes what is typed.
    ("lo", "ad"), ("load rw", "_s"), ("set war", "mup-epochs="), ("set sched=c", "osine"),
    ("plot loss; lo", "ad"),
  ])
  func theOnlyWord(line: String, rest: String) {
    #expect(Self.hint(line) == "→" + rest)
  }

  @Test(arguments: [
    ("load ", "NAME [weights= classes= head=]"), ("load b0 ", "[weights= classes= head=]"),
    ("load b0 head=keep ", "[weights= classes=]"), ("set ", "key=value …"),
    ("note ", "TEXT…"),
  ])
  func whatTheCommandTakes(line: String, text: String) {
    #expect(Self.hint(line) == text)
  }

  @Test(arguments: [
    "", "  ", "load b", "load b0", "nosuch ", "# lo", "set lr=", "plot loss > ", "plot [loss, ",
    "for m in a {\nlo",
  ])
  func nothingToSay(line: String) { #expect(Self.hint(line) == nil) }

  @Test func theLatestLineOfTheHistoryComesFirst() {
    let history = ["load b0 head=keep", "load b1", "note Größe 日本", "for m in a {\n}"]
    #expect(Self.hint("lo", history: history) == "→ad b1")
    #expect(Self.hint("load b0", history: history) == "→ head=keep")
    #expect(Self.hint("note Grö", history: history) == "→ße 日本")
    #expect(Self.hint("load b1", history: history) == nil)
    // An entry of several lines cannot be taken over into one.
    #expect(Self.hint("for", history: history) == nil)
  }
}
