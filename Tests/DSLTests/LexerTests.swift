import DSL
import Testing

@Suite struct LexerTests {
  /// The tokens of a text in short: `word(a)`, `key(lr)`, `>`.
  static func tokens(_ text: String) -> [String] {
    Lexer.tokenize(Source(name: "t", text: text)).tokens.map { describe($0.kind) }
  }

  static func describe(_ kind: Token.Kind) -> String {
    switch kind {
    case .word(let segments): "word(\(describe(segments)))"
    case .string(let segments): "string(\(describe(segments)))"
    case .key(let name): "key(\(name))"
    case .flag(let name): "flag(\(name))"
    case .comparator(let comparator): comparator.rawValue
    case .equals: "="
    case .leftBracket: "["
    case .rightBracket: "]"
    case .comma: ","
    case .leftBrace: "{"
    case .rightBrace: "}"
    case .semicolon: ";"
    case .newline: "newline"
    case .comment(let text): "comment(\(text))"
    case .cell(let text): "cell(\(text))"
    case .shell(let text): "shell(\(text))"
    case .end: "end"
    }
  }

  static func describe(_ segments: [Segment]) -> String {
    segments.map {
      switch $0 {
      case .literal(let text): text
      case .reference(let name): "<\(name.text)>"
      }
    }.joined(separator: "+")
  }

  @Test(arguments: [
    ("set lr=0.1", ["word(set)", "key(lr)", "word(0.1)"]),
    (
      "a 1e-3 50% 2h 64k -0.5 .08",
      ["word(a)", "word(1e-3)", "word(50%)", "word(2h)", "word(64k)", "word(-0.5)", "word(.08)"]
    ),
    ("plot top1,top5 > t.png", ["word(plot)", "word(top1,top5)", ">", "word(t.png)"]),
    (
      "x a=[1, \"b c\",d]",
      ["word(x)", "key(a)", "[", "word(1)", ",", "string(b c)", ",", "word(d)", "]"]
    ),
    ("x [a\nb] c", ["word(x)", "[", "word(a)", "word(b)", "]", "word(c)"]),
    ("t name=s-${data}-${n}", ["word(t)", "key(name)", "word(s-+<data>+-+<n>)"]),
    ("t \"a ${b} c\"", ["word(t)", "string(a +<b>+ c)"]),
    ("a --raw -n -5 --", ["word(a)", "flag(raw)", "flag(n)", "word(-5)", "word(--)"]),
    ("expect a >= 5", ["word(expect)", "word(a)", ">=", "word(5)"]),
    ("a # b", ["word(a)", "comment( b)"]),
    ("a#b c=#d", ["word(a#b)", "word(c=#d)"].dropLast() + ["key(c)", "word(#d)"]),
    ("# %% A [md]", ["cell( A [md])"]),
    ("#%% A", ["cell( A)"]),
    ("a # %% A", ["word(a)", "comment( %% A)"]),
    ("a; b", ["word(a)", ";", "word(b)"]),
    ("!ls | wc; x # y", ["shell(ls | wc; x # y)"]),
    ("a !b", ["word(a)", "word(!b)"]),
    ("a; !b", ["word(a)", ";", "shell(b)"]),
    ("a \\\n  b", ["word(a)", "word(b)"]),
    ("a \\  \r\n b\r\nc", ["word(a)", "word(b)", "newline", "word(c)"]),
    ("for a in 1 {\n}", ["word(for)", "word(a)", "word(in)", "word(1)", "{", "newline", "}"]),
    ("url=http://x?a=b", ["key(url)", "word(http://x?a=b)"]),
    ("\u{FEFF}a", ["word(a)"]),
    ("a \"x\\n\\t\\\"\\\\\\$\\u{41}\"", ["word(a)", "string(x\n\t\"\\$A)"]),
    ("param n:int=3", ["word(param)", "key(n:int)", "word(3)"]),
    ("1=2 *rw*", ["word(1=2)", "word(*rw*)"]),
    ("don't \"\"", ["word(don't)", "string()"]),
  ])
  func kinds(text: String, kinds: [String]) {
    #expect(Self.tokens(text) == kinds + ["end"])
    #expect(Lexer.tokenize(Source(name: "t", text: text)).diagnostics.isEmpty)
  }

  @Test func rangesAreTheTokensText() {
    let source = Source(name: "t", text: "set lr=0.1 \"é ü\" [a,b] > 日本.png # end")
    let texts = Lexer.tokenize(source).tokens.map { source.text(in: $0.range) }
    #expect(
      texts == [
        "set", "lr", "0.1", "\"é ü\"", "[", "a", ",", "b", "]", ">", "日本.png", "# end", "",
      ])
  }

  @Test func columnsCountCharacters() {
    let source = Source(name: "t", text: "é日👩‍👩‍👧 x\nab")
    #expect(source.describe(source.text.utf8.count - 4) == "t:1:5")
    #expect(source.describe(source.text.utf8.count) == "t:2:3")
    #expect(source.lineCount == 2)
    #expect(Source(name: "", text: "a\n").lineCount == 1)
    #expect(Source(name: "", text: "").lineCount == 1)
  }
}
