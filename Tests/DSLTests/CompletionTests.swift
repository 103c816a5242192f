import DSL
import Testing

struct FakeProvider: CompletionProvider {
  func names(in domain: String) -> [Completion.Name] {
    switch domain {
    case "model": [Completion.Name("b0", "7.1 M"), Completion.Name("b1"), Completion.Name("rw_s")]
    case "metric": [Completion.Name("loss"), Completion.Name("top1"), Completion.Name("top5")]
    case "run": [Completion.Name("a"), Completion.Name("my run")]
    default: []
    }
  }

  func paths(startingWith prefix: String, role: ValueKind.PathRole) -> [String] {
    ["data/", "my file.bin", "my files/", "weights.bin"].filter { $0.hasPrefix(prefix) }
  }
}

@Suite struct CompletionTests {
  /// Completes at the marker; the candidates and the text they replace.
  static func complete(_ marked: String, scope: Scope = Scope()) -> ([String], replaced: String) {
    let text = MarkedText(marked)
    let completion = Completion.complete(
      text.text, cursor: text.places[0], vocabulary: Fake.vocabulary, scope: scope,
      provider: FakeProvider())
    let source = Source(name: "", text: text.text)
    return (completion.candidates.map(\.text), source.text(in: completion.range))
  }

  @Test(arguments: [
    ("lo1️⃣", ["load"], "lo"),
    ("s1️⃣", ["set", "show", "save", "seed", "shell", "sched=", "scale="], "s"),
    ("train; lo1️⃣", ["load"], "lo"),
    ("for m in a b { lo1️⃣", ["load"], "lo"),
    ("set war1️⃣", ["warmup-epochs="], "war"),
    ("set warmup_1️⃣", ["warmup-epochs="], "warmup_"),
    ("set lr=0.1 l1️⃣", [], "l"),
    ("set l1️⃣ lr=0.1", [], "l"),
    ("set learning-rate=0.1 l1️⃣", [], "l"),
    ("set sched=1️⃣", ["cosine", "step", "plateau", "default"], ""),
    ("set sched=c1️⃣", ["cosine"], "c"),
    ("set deterministic=o1️⃣", ["on", "off"], "o"),
    ("set input-size=a1️⃣", ["auto"], "a"),
    ("set lr=1️⃣", ["0.05", "default"], ""),
    ("lr=1️⃣", ["0.05", "default"], ""),
    ("lr=0.1 mix1️⃣", ["mixup="], "mix"),
    ("load 1️⃣", ["b0", "b1", "rw_s", "pretrained", "weights=", "classes=", "head="], ""),
    ("load b1️⃣", ["b0", "b1"], "b"),
    ("load b0 p1️⃣", ["pretrained"], "p"),
    ("load b0 pretrained 1️⃣", ["weights=", "classes=", "head="], ""),
    ("load b0 weights=1️⃣", ["data/", "\"my file.bin\"", "\"my files/", "weights.bin"], ""),
    ("load b0 weights=my1️⃣", ["\"my file.bin\"", "\"my files/"], "my"),
    ("load b0 weights=\"my f1️⃣", ["\"my file.bin\"", "\"my files/"], "\"my f"),
    ("plot 1️⃣", ["loss", "top1", "top5", "log", "runs=", "x=", "title="], ""),
    ("plot to1️⃣", ["top1", "top5"], "to"),
    ("plot top1,1️⃣", ["loss", "top5"], ""),
    ("plot top1,to1️⃣", ["top5"], "to"),
    ("plot [top1, to1️⃣", ["top1", "top5"], "to"),
    ("plot loss runs=1️⃣", ["a", "\"my run\""], ""),
    ("plot loss runs=[a, 1️⃣", ["a", "\"my run\""], ""),
    ("plot loss > w1️⃣", ["weights.bin"], "w"),
    ("plot loss > 1️⃣", ["data/", "\"my file.bin\"", "\"my files/", "weights.bin"], ""),
    ("show --1️⃣", ["--json"], "--"),
    ("show --j1️⃣", ["--json"], "--j"),
    ("show -1️⃣", ["--json"], "-"),
    ("unset mi1️⃣", ["mixup"], "mi"),
    ("unset lr mi1️⃣", ["mixup"], "mi"),
    ("frobnicate 1️⃣", [], ""),
    ("# comm1️⃣", [], ""),
    ("!ls 1️⃣", [], ""),
    ("data c1️⃣ifar", ["cifar10", "cifar100"], "c"),
    (
      "1️⃣load",
      [
        "set", "unset", "show", "load", "data", "train", "plot", "expect", "require", "lrfind",
        "note", "save", "seed", "reset", "fail", "quit", "shell",
      ], ""
    ),
  ])
  func table(marked: String, candidates: [String], replaced: String) {
    let found = Self.complete(marked)
    #expect(found.0 == candidates)
    #expect(found.replaced == replaced)
  }

  @Test func parametersInsideWordsAndStrings() {
    let scope = Scope().with("epochs", "3").with("data", "cifar10")
    #expect(Self.complete("set epochs=${e1️⃣", scope: scope) == (["${epochs}"], "${e"))
    #expect(Self.complete("train name=s-${1️⃣", scope: scope) == (["${data}", "${epochs}"], "${"))
    #expect(Self.complete("note \"on ${da1️⃣", scope: scope) == (["${data}"], "${da"))
  }

  @Test func candidatesDescribeThemselves() {
    let completion = Completion.complete(
      "set l", cursor: 5, vocabulary: Fake.vocabulary, provider: FakeProvider())
    #expect(
      completion.candidates == [
        Completion.Candidate(
          text: "lr=", summary: "learning rate (float, default 0.05)", kind: .key,
          isComplete: false)
      ])
  }
}

private func == (
  found: ([String], replaced: String), wanted: ([String], String)
) -> Bool { found.0 == wanted.0 && found.replaced == wanted.1 }
