import DSL
import Testing

@Suite struct BinderTests {
  static func bind(_ line: String) throws -> Invocation {
    try Binder(vocabulary: Fake.vocabulary).bind(line: line)
  }

  @Test func typedAccess() throws {
    let set = try Self.bind(
      "set e=64k lr=5% scale=[.08,1] deterministic=off time-limit=2h input_size=auto mixup=default")
    #expect(set.integer("epochs") == 64000)
    #expect(set.number("epochs") == 64000)
    #expect(set.number("lr") == 0.05)
    #expect(set.numbers("scale") == [0.08, 1])
    #expect(set.boolean("deterministic") == false)
    #expect(set.duration("time-limit") == 7200)
    #expect(set.keyword("input-size") == "auto")
    #expect(set.string("input-size") == "auto")
    #expect(set.integer("input-size") == nil)
    #expect(set.value("mixup") == .standard)
    #expect(set.isGiven("mixup"))
    #expect(set.number("mixup") == nil)
    #expect(!set.isGiven("hflip"))
    #expect(set.argument("epochs")?.text == "64k")
    let plot = try Self.bind("plot top1,top5 runs=a,b log > out.png")
    #expect(plot.strings("metrics") == ["top1", "top5"])
    #expect(plot.strings("runs") == ["a", "b"])
    #expect(plot.strings("title") == [])
    #expect(plot.has("log"))
    #expect(plot.outputPath == "out.png")
    let unset = try Self.bind("unset lr mixup")
    #expect(unset.strings("key") == ["lr", "mixup"])
    let expect = try Self.bind("expect top1 > 55 tol=.5")
    #expect(expect.comparator == .greater)
    #expect(expect.number("value") == 55)
    #expect(expect.requiredString("metric") == "top1")
    let find = try Self.bind("lrfind 1e-6..1 for=90s")
    #expect(find.interval("range")?.lower == 1e-6)
    #expect(find.interval("range")?.upper == 1)
    #expect(try Self.bind("require free-disk atleast=2G").size("atleast") == 2_147_483_648)
    #expect(
      try Self.bind("note it's \"fine\" , x=1 > y").string("text") == "it's \"fine\" , x=1 > y")
  }

  @Test func rangesOfArguments() throws {
    let marked = MarkedText("1️⃣plot 2️⃣loss3️⃣ x=4️⃣time5️⃣ > out.png6️⃣")
    let invocation = try Self.bind(marked.text)
    let places = marked.places
    #expect(invocation.range == SourceRange(places[0], places[5]))
    #expect(invocation.range(of: "metrics") == SourceRange(places[1], places[2]))
    #expect(invocation.range(of: "x") == SourceRange(places[3], places[4]))
    #expect(invocation.range(of: "title") == invocation.range)
  }

  @Test(arguments: [
    ("set lr=.1 bs=4", [], ["params.batch-size", "params.lr"], Signature.Effect.change),
    ("unset lr mixup", [], ["params.lr", "params.mixup"], .change),
    ("plot loss runs=a,b", ["run:a", "run:b"], [], .look),
    ("plot loss > x.png", [], ["file:x.png"], .change),
    ("train name=a", ["params.*", "data", "model"], ["model", "run:a"], .change),
    ("train", ["params.*", "data", "model"], ["model"], .change),
    ("show", ["params.*"], [], .look),
  ])
  func slots(line: String, reads: [String], writes: [String], effect: Signature.Effect) throws {
    let invocation = try Self.bind(line)
    #expect(invocation.reads.map(\.name) == reads)
    #expect(invocation.writes.map(\.name) == writes)
    #expect(invocation.effect == effect)
  }

  @Test func verbs() {
    func lookUp(_ verb: String) -> Vocabulary.Lookup { Fake.vocabulary.lookUp(verb) }
    #expect(lookUp("load") == .exact(Fake.load))
    #expect(lookUp("dataset") == .exact(Fake.data))
    #expect(lookUp("lo") == .prefix(Fake.load))
    #expect(lookUp("s") == .ambiguous(["save", "seed", "set", "shell", "show"]))
    #expect(lookUp("laod") == .unknown(suggestion: "load"))
    #expect(lookUp("pram") == .unknown(suggestion: "param"))
    #expect(lookUp("xyzzy") == .unknown(suggestion: nil))
    #expect(lookUp("") == .unknown(suggestion: nil))
    #expect(Fake.vocabulary.keys(named: "e").map(\.signature.name) == ["set"])
    #expect(Fake.vocabulary.keys(named: "epochs").map(\.signature.name) == ["set", "train"])
  }

  @Test func unsoundDefinitionsAreFound() {
    let examples = [Example("a", ""), Example("b", "")]
    func problems(
      _ name: String, positionals: [Positional] = [], keys: [Parameter] = [], flags: [Flag] = [],
      comparison: Bool = false, output: Bool = false, writes: [SlotRule] = [],
      examples: [Example] = examples
    ) -> [String] {
      Vocabulary.problems(in: [
        Signature(
          name, group: "g", "s", positionals: positionals, keys: keys, flags: flags,
          allowsOutput: output, takesComparison: comparison, effect: .look, writes: writes,
          examples: examples)
      ])
    }
    #expect(problems("ok").isEmpty)
    #expect(problems("for").count == 1)
    #expect(problems("Two words").count == 1)
    #expect(problems("a", examples: []).count == 1)
    #expect(
      problems("a", keys: [Parameter("x", .word, ""), Parameter("y", aliases: ["x"], .word, "")])
        .count == 1)
    #expect(problems("a", keys: [Parameter("x", .word, "")], flags: [Flag("x", "")]).count == 1)
    #expect(problems("a", keys: [Parameter("x", .integer(), "", default: "many")]).count == 1)
    #expect(problems("a", keys: [Parameter("x_y", .word, "")]).count == 1)
    #expect(
      problems(
        "a",
        positionals: [
          Positional("x", .word, "", .variadic(minimum: 0)), Positional("y", .word, ""),
        ]
      ).count == 1)
    #expect(
      problems(
        "a", positionals: [Positional("x", .word, "", .optional), Positional("y", .word, "")]
      ).count == 1)
    #expect(
      problems(
        "a", positionals: [Positional("x", .text, "", .restOfLine)], flags: [Flag("f", "")]
      ).count == 1)
    #expect(problems("a", comparison: true, output: true).count == 2)
    #expect(problems("a", writes: [.argument("x", prefix: "run:")]).count == 1)
    #expect(Vocabulary.problems(in: [Fake.load, Fake.load]).count == 1)
    #expect(Vocabulary.problems(in: Fake.signatures).isEmpty)
  }

  @Test func everyExampleIsSound() {
    for signature in Fake.signatures {
      for example in signature.examples {
        let checked = Fake.check(example.text, as: .prompt)
        #expect(checked.isSound, "\(example.text): \(checked.diagnostics.map(\.message))")
      }
    }
  }

  @Test func comparators() {
    #expect(Comparator.equal.holds(1.8, 1.85, tolerance: 0.1))
    #expect(!Comparator.equal.holds(.nan, .nan))
    #expect(Comparator.notEqual.holds(.nan, 1))
    #expect(Comparator.atLeast.holds(2, 2))
    #expect(!Comparator.greater.holds(2, 2))
    #expect(Comparator.less.holds(1, 2))
    #expect(Comparator.atMost.holds(2, 2))
  }
}
