import DSL
import Foundation
import Testing

/// `FUZZ_ROUNDS=100` repeats the random tests with other texts.
@Suite struct PropertyTests {
  static let rounds =
    ProcessInfo.processInfo.environment["FUZZ_ROUNDS"].flatMap { Int($0) } ?? 1

  /// A script with one of everything.
  static let script = """
    #!/usr/bin/env -S workbench replay
    version 1
    # saved by hand
    param epochs:int = 50 in 1.. "training ${epochs} \\" epochs"
    param data = cifar10 in cifar10|cifar100

    # %% Intro "x" [markdown] id="a" tags="b,c"
    # Text with "quotes" and 日本.
    # %% Train id="train"
    seed 42; data ${data} dir="my data" limit=64k
    load b0 pretrained classes=auto \\
      head=keep
    set epochs=${epochs} lr=1e-3 scale=[.08,
      1] hflip=50% time-limit=1h30m
    train name=s-${data}   #> done
    for m in b0 b1, d in cifar10 "cifar100" {
      data ${d}
      for s in 1 2 { seed ${s} }
      expect top1 >= 55 tol=.1
    }
    plot top1,top5 runs=a,b log > "a b.png"
    !ls -l
    lrfind 1e-6..1
    """

  @Test func everyPrefixIsReadWithoutACrash() {
    let bytes = Array(Self.script.utf8)
    for end in 0...bytes.count {
      let text = String(decoding: bytes[..<end], as: UTF8.self)
      Self.exercise(text)
    }
  }

  @Test func theWholeScriptIsSound() {
    let checked = Fake.check(Self.script, as: .file)
    let shell = checked.diagnostics.filter { $0.code != "shell-command" }
    #expect(shell.isEmpty, "\(shell.map(\.message))")
  }

  @Test func randomTextNeverCrashes() {
    var random = RandomSource(seed: 1)
    for _ in 0..<(500 * Self.rounds) {
      let length = Int.random(in: 1...30, using: &random)
      Self.exercise(RandomText.soup(&random, length: length))
    }
  }

  @Test func nestedTextNeverCrashes() {
    for piece in ["[", "{", "for a in 1 {\n", "\"", "${", "a=[", "(", "\\", "# %%"] {
      Self.exercise(String(repeating: piece, count: 500))
      Self.exercise("set lr=" + String(repeating: piece, count: 500))
    }
  }

  /// Reads a text in every way, and checks what holds for every text.
  static func exercise(_ text: String) {
    let source = Source(name: "t", text: text)
    let count = text.utf8.count
    let (tokens, _) = Lexer.tokenize(source)
    var end = 0
    for token in tokens {
      #expect(token.range.start >= end && token.range.end <= count, "\(text.debugDescription)")
      end = token.range.end
    }
    for mode in [Checker.Mode.prompt, .inline] {
      let checked = Fake.checker().check(source, as: mode)
      for diagnostic in checked.diagnostics {
        if let range = diagnostic.range { #expect(range.end <= count) }
      }
      #expect(checked.isSound || !checked.diagnostics.isEmpty)
      _ = Renderer(usesColor: true).render(checked.diagnostics, in: source)
    }
    _ = Parser.isIncomplete(text)
    let cursor = text.utf8.count / 2
    for place in [cursor, count] {
      let completion = Completion.complete(
        text, cursor: place, vocabulary: Fake.vocabulary, provider: FakeProvider())
      #expect(completion.range.end == place && completion.range.start >= 0)
    }
  }

  // MARK: Canonical text

  /// Binds a line, writes it canonically, and binds that again.
  static func expectRoundTrip(_ line: String) throws {
    let binder = Binder(vocabulary: Fake.vocabulary)
    let first = try binder.bind(line: line)
    let second = try binder.bind(line: first.canonicalText)
    #expect(second.canonicalText == first.canonicalText, "\(line)")
    #expect(second.name == first.name)
    #expect(second.flags == first.flags)
    #expect(second.comparator == first.comparator)
    #expect(second.arguments.map(\.name) == first.arguments.map(\.name))
    #expect(second.arguments.map(\.value) == first.arguments.map(\.value), "\(line)")
  }

  @Test func anyTextSurvivesAsAValue() throws {
    var random = RandomSource(seed: 2)
    for _ in 0..<(300 * Self.rounds) {
      let value = RandomText.quoted(RandomText.value(&random))
      try Self.expectRoundTrip("plot loss title=\(value)")
      try Self.expectRoundTrip("note \(value)")
      try Self.expectRoundTrip("set output=\(value)")
    }
  }

  @Test func anyListSurvives() throws {
    var random = RandomSource(seed: 3)
    for _ in 0..<(300 * Self.rounds) {
      let items = (0..<Int.random(in: 1...3, using: &random)).map { _ in
        RandomText.quoted(RandomText.value(&random) + "x")
      }
      try Self.expectRoundTrip("plot [\(items.joined(separator: ", "))] runs=[\(items[0])]")
    }
  }

  @Test(arguments: [
    "plot \"log\"", "plot [log]", "plot [default] runs=[default]", "plot a,b runs=a", "plot []",
    "set output=default", "set output=\"default\"", "set input-size=auto", "set scale=default",
    "show \"all\" all", "show all --all", "load b0 --pretrained", "set e=3 bs=4 learning_rate=1e-1",
    "note a > b", "note \"a\" b", "note ${x} y", "expect loss > 3", "expect loss == 1.8 run=a",
    "plot x > \"a b\"", "set deterministic=yes hflip=50%", "dataset cifar10 limit=64k",
    "lrfind ..1 for=1h30m", "note \"\\${x}\"", "train name=default",
  ])
  func canonicalTextBindsToTheSame(line: String) throws {
    if line.contains("> b") || line.contains("${x} y") || line.contains("all --all") {
      // A rest of a line is taken as written, or refused; it never changes its meaning.
      guard (try? Binder(vocabulary: Fake.vocabulary).bind(line: line)) != nil else { return }
    }
    try Self.expectRoundTrip(line)
  }

  @Test(arguments: [
    ("load   b0  --pretrained classes=auto", "load b0 pretrained classes=auto"),
    ("set e=3 learning_rate=.1 bs=4", "set epochs=3 batch-size=4 lr=.1"),
    ("dataset cifar10 dir=\"data\"", "data cifar10 dir=data"),
    ("plot [top1, top5] > \"out.png\"", "plot top1,top5 > out.png"),
    ("set deterministic=yes scale=[.08, 1]", "set scale=.08,1 deterministic=on"),
    ("note it works, mostly", "note \"it works, mostly\""),
    ("show --json all", "show all --json"),
    ("show -j", "show --json"),
    ("set sched=Cosine", "set sched=cosine"),
    ("expect loss   == 3 run=a tol=1", "expect loss == 3 tol=1 run=a"),
  ])
  func canonicalForm(line: String, canonical: String) throws {
    let invocation = try Binder(vocabulary: Fake.vocabulary).bind(line: line)
    #expect(invocation.canonicalText == canonical)
  }

  @Test func templatesKeepTheirParameters() throws {
    let scope = Scope().with("n", "3").with("data", "my data").with("pair", "a,b")
    let binder = Binder(vocabulary: Fake.vocabulary, scope: scope)
    for (line, text, template) in [
      ("set e=${n}", "set epochs=3", "set epochs=${n}"),
      (
        "plot loss title=\"on ${data}\"", "plot loss title=\"on my data\"",
        "plot loss title=\"on ${data}\""
      ),
      ("plot ${pair} runs=${n},x", "plot a,b runs=3,x", "plot ${pair} runs=${n},x"),
      ("plot [\"${data}\",b]", "plot [\"my data\",b]", "plot ${data},b"),
      ("plot [${n}]", "plot 3", "plot [${n}]"),
    ] {
      let invocation = try binder.bind(line: line)
      #expect(invocation.canonicalText == text)
      #expect(invocation.canonicalTemplate == template)
      let again = try binder.bind(line: invocation.canonicalTemplate)
      #expect(again.canonicalText == text)
      #expect(again.canonicalTemplate == template)
    }
  }
}
