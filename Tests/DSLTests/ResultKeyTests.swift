import DSL
import Testing

/// What a result follows from, and what is said when that changes.
@Suite struct ResultKeyTests {
  private func key(_ rate: String?, model: String = "m", origin: String = "load in cell 1")
    -> ResultKey
  {
    var inputs = [ResultKey.Input(.command, "command", "train name=a")]
    if let rate { inputs.append(.init(.setting, "lr", rate)) }
    inputs.append(.init(.slot, "model", model, origin: origin))
    inputs.append(.init(.outside, "dog.jpg", "1"))
    return ResultKey(inputs)
  }

  @Test func equalKeysMatchWhereverTheyStand() {
    #expect(key("0.1").matches(key("0.1", origin: "load in cell 7")))
    #expect(!key("0.1").matches(key("0.2")))
    #expect(key("0.1").difference(from: key("0.1")) == nil)
  }

  @Test func theFirstDifferenceIsNamed() {
    func standard(_ name: String) -> String? { name == "lr" ? "0.05" : nil }
    #expect(key("0.1").difference(from: key("0.2")) == "lr=0.1 was 0.2")
    #expect(key("0.1").difference(from: key(nil), standard: standard) == "lr=0.1 was 0.05")
    #expect(key(nil).difference(from: key("0.1"), standard: standard) == "lr=0.05 was 0.1")
    #expect(
      key("0.1", model: "n", origin: "train in cell 2").difference(from: key("0.1"))
        == "depends on train in cell 2")
    let other = ResultKey([.init(.command, "command", "train name=b")])
    #expect(key("0.1").difference(from: other) == "the command was 'train name=b'")
    let file = ResultKey(key("0.1").inputs.dropLast() + [.init(.outside, "dog.jpg", "2")])
    #expect(key("0.1").difference(from: file) == "dog.jpg has changed")
    #expect(
      other.difference(from: ResultKey(other.inputs + file.inputs.suffix(1)))
        == "it no longer depends on dog.jpg")
  }

  @Test func slotsAreReadAsTheyWereWrittenLast() {
    var trace = SlotTrace()
    trace.write("run:a", "1", origin: "train in cell 1")
    trace.write("run:b", "2", origin: "train in cell 2")
    trace.write("run:a", "3", origin: "resume in cell 3")
    #expect(trace.value(of: "run:a") == "3")
    #expect(
      trace.inputs(["run:*"]) == [
        .init(.slot, "run:a", "3", origin: "resume in cell 3"),
        .init(.slot, "run:b", "2", origin: "train in cell 2"),
      ])
    #expect(
      trace.inputs(["run:c", "data"]) { "\($0) outside" }.map(\.value)
        == ["run:c outside", "data outside"])
    #expect(trace.inputs(["run:c"]).isEmpty)
  }
}
