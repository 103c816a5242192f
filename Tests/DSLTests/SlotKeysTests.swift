import DSL
import Testing

@Suite struct SlotKeysTests {
  static func keys(_ lines: [String]) throws -> SlotKeys {
    var keys = SlotKeys()
    for entry in try SlicerTests.journal(lines) { keys.apply(entry) }
    return keys
  }

  @Test(arguments: [
    // The order of settings, and detours, do not matter; what is read does.
    (["set lr=.1", "set bs=4"], ["set bs=4 lr=.1"], [String]()),
    (["set lr=.1", "set lr=.2"], ["set lr=.2"], []),
    (["set lr=.1", "unset lr"], [], []),
    (["x load b1", "load b0", "show"], ["load b0"], []),
    (["u load b1", "load b0"], ["load b0"], []),
    (["data digits", "load b0"], ["load b0", "data digits"], ["model"]),
    (["load b0", "train name=a"], ["load b0", "train name=a"], []),
    (
      ["load b0", "set lr=.1", "train name=a"], ["load b0", "train name=a", "set lr=.1"],
      ["model", "run:a"]
    ),
    (
      ["load b0", "train name=a", "train name=a"], ["load b0", "train name=a"], ["model", "run:a"]
    ),
  ])
  func differences(first: [String], second: [String], slots: [String]) throws {
    let found = try Self.keys(first).differences(from: Self.keys(second)) { _ in true }
    #expect(found.map(\.name) == slots)
  }

  @Test func onlyWhatMattersCounts() throws {
    let found = try Self.keys(["set lr=.1", "load b0"]).differences(from: SlotKeys()) {
      $0 == "model"
    }
    #expect(found == ["model"])
  }

  /// A script that was cut from a session leaves every slot as the session has it.
  @Test func slicesOfRandomSessions() throws {
    var random = RandomSource(seed: 11)
    let lines = [
      "set lr=.1", "set lr=.2 bs=4", "set mixup=.3", "unset mixup", "unset lr", "set lr=default",
      "data digits", "data cifar10", "load b0", "load b1", "train name=a", "train name=b",
      "train name=c stop-at=3", "x train name=d", "u load b2", "u set lr=.7", "show", "seed 3",
      "plot loss runs=a > a.png", "plot loss", "note so far", "expect top1 >= 3 run=a", "#",
      "reset", "unset lr epochs mixup",
    ]
    var shorter = 0
    for _ in 0..<400 {
      let count = Int.random(in: 1...25, using: &random)
      let session = (0..<count).map { _ in lines[Int.random(in: lines.indices, using: &random)] }
      let journal = try SlicerTests.journal(session)
      let slice = Slicer().slice(journal)
      var whole = SlotKeys()
      journal.forEach { whole.apply($0) }
      let script = slice.lines.map(\.text).filter { !$0.hasPrefix("note") }
      #expect(
        try Self.keys(script).differences(from: whole) { _ in true } == [],
        "\(session)\n\(script)")
      if script.count < journal.count { shorter += 1 }
    }
    #expect(shorter > 300)
  }
}
