import DSL
import Testing

@Suite struct ValueTests {
  @Test(arguments: [
    (ValueKind.integer(), "12", Value.integer(12)),
    (.integer(), "+10", .integer(10)),
    (.integer(), "64k", .integer(64000)),
    (.integer(), "1.5M", .integer(1_500_000)),
    (.integer(.from(1)), "1", .integer(1)),
    (.number(), "1e-3", .number(0.001)),
    (.number(), ".08", .number(0.08)),
    (.number(), "50%", .number(0.5)),
    (.number(), "-2", .number(-2)),
    (.boolean, "on", .boolean(true)),
    (.boolean, "No", .boolean(false)),
    (.choice(["sgd", "adam-w"]), "Adam_W", .text("adam-w")),
    (.duration, "90", .duration(90)),
    (.duration, "1h30m", .duration(5400)),
    (.duration, "1.5h", .duration(5400)),
    (.duration, "2d", .duration(172_800)),
    (.duration, "500ms", .duration(0.5)),
    (.size, "512", .size(512)),
    (.size, "64k", .size(65536)),
    (.size, "2G", .size(2_147_483_648)),
    (.size, "1.5GiB", .size(1_610_612_736)),
    (.interval, "1e-6..1", .interval(1e-6, 1)),
    (.interval, "2..", .interval(2, nil)),
    (.interval, "..5", .interval(nil, 5)),
    (.interval, "3", .interval(3, 3)),
    (.interval, ".08..1", .interval(0.08, 1)),
    (.either(["auto"], or: .integer()), "auto", .keyword("auto")),
    (.either(["auto"], or: .integer()), "3", .integer(3)),
    (.list(of: .number()), "1,2", .list([.number(1), .number(2)])),
    (.list(of: .word), "a", .list([.text("a")])),
    (.list(of: .word), "", .list([])),
    (.path(.directory), "", .text("")),
  ])
  func accepted(kind: ValueKind, text: String, value: Value) throws {
    #expect(try kind.parse(text) == value)
  }

  @Test(arguments: [
    (ValueKind.integer(), "1.5", ValueProblem.Fault.malformed),
    (.integer(), "", .malformed), (.integer(), "1k5", .malformed), (.integer(), "0x10", .malformed),
    (.integer(.from(1)), "0", .outOfRange), (.integer(.within(1...3)), "4", .outOfRange),
    (.number(), "nan", .malformed), (.number(), "inf", .malformed),
    (.number(), "1e999", .malformed),
    (.number(), "0x1p3", .malformed), (.number(), "1 2", .malformed), (.number(), "%", .malformed),
    (.number(.above(0)), "0", .outOfRange), (.number(.within(0..<1)), "1", .outOfRange),
    (.boolean, "2", .malformed), (.word, "a b", .malformed), (.word, "", .malformed),
    (.path(.input), "", .malformed), (.choice(["a"]), "b", .malformed),
    (.duration, "1m1h", .malformed), (.duration, "5x", .malformed), (.duration, "", .malformed),
    (.duration, "-5", .malformed), (.size, "2X", .malformed), (.size, "", .malformed),
    (.size, "0.3", .malformed), (.interval, "..", .malformed), (.interval, "5..2", .malformed),
    (.interval, "a..b", .malformed), (.list(of: .word), "a,,b", .malformed),
    (.list(of: .number(), count: 2...2), "1", .wrongCount),
    (.either(["auto"], or: .integer(.from(3))), "2", .outOfRange),
  ])
  func refused(kind: ValueKind, text: String, fault: ValueProblem.Fault) {
    #expect(throws: ValueProblem.self) { try kind.parse(text) }
    do throws(ValueProblem) { _ = try kind.parse(text) } catch { #expect(error.fault == fault) }
  }

  @Test(arguments: [
    (ValueKind.integer(.from(1)), "an integer from 1"),
    (.integer(.within(1...10)), "an integer from 1 to 10"),
    (.number(.above(0)), "a number above 0"),
    (.number(.within(0..<1)), "a number from 0 to below 1"),
    (.number(Bounds(upper: 0.5)), "a number up to 0.5"),
    (.choice(["a", "b", "c"]), "one of a, b, c"),
    (.either(["auto", "none"], or: .integer()), "an integer, or 'auto' or 'none'"),
    (.list(of: .number(), count: 2...2), "a list of 2, each a number"),
    (.named("model"), "the name of a model"),
    (.named("epoch"), "the name of an epoch"),
  ])
  func phrases(kind: ValueKind, phrase: String) {
    #expect(kind.phrase == phrase)
  }

  @Test(arguments: [
    ("warmup-epoch", "warmup-epochs"), ("laod", "load"), ("warmup_epochs", "warmup-epochs"),
    ("ler", "lr"), ("batchsize", "batch-size"), ("BATCH-SIZE", "batch-size"),
  ])
  func nearMisses(typed: String, wanted: String) {
    let names = ["lr", "load", "warmup-epochs", "batch-size", "epochs", "x"]
    #expect(Suggestion.nearest(to: typed, among: names) == wanted)
  }

  @Test(arguments: ["q", "zzz", "frobnicate", "", "loss", "a"])
  func farMisses(typed: String) {
    #expect(Suggestion.nearest(to: typed, among: ["lr", "x", "warmup-epochs", "epochs"]) == nil)
  }

  @Test func distances() {
    #expect(Suggestion.distance("abcd", "abdc") == 1)
    #expect(Suggestion.distance("", "abc") == 3)
    #expect(Suggestion.distance("kitten", "sitting") == 3)
  }
}
