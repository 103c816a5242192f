import DSL
import Testing

@Suite struct SlicerTests {
  /// A journal from lines; `x ` marks a failed one, `u ` an undone one, `s ` a stopped one, and
  /// `# ` opens a cell.
  static func journal(_ lines: [String]) throws -> [JournalEntry] {
    let binder = Binder(vocabulary: Fake.vocabulary)
    var entries: [JournalEntry] = []
    var cell = 0
    for line in lines {
      if line == "#" {
        cell += 1
        continue
      }
      let mark = line.prefix(2)
      let isMarked = ["x ", "u ", "s "].contains(mark)
      let invocation = try binder.bind(line: isMarked ? String(line.dropFirst(2)) : line)
      var entry = JournalEntry(
        invocation, status: mark == "x " ? .failed : mark == "s " ? .interrupted : .ok, cell: cell)
      entry.isUndone = mark == "u "
      entries.append(entry)
    }
    return entries
  }

  static func slice(_ lines: [String]) throws -> Slice { Slicer().slice(try journal(lines)) }

  @Test(arguments: [
    // What failed, only looked, or was undone goes.
    (
      ["load b0", "x load b9", "show", "u seed 1", "plot loss", "save s.wb", "train name=a"],
      ["load b0", "train name=a"]
    ),
    // A set that nobody reads before it is replaced vanishes; the rest moves to the reader.
    (
      ["set lr=.1", "data digits", "set lr=.2 bs=4", "load b0", "set epochs=3", "train name=a"],
      ["data digits", "load b0", "set epochs=3 batch-size=4 lr=.2", "train name=a"]
    ),
    // A reader in between keeps both.
    (
      ["load b0", "set lr=.1", "train name=a", "set lr=.2", "train name=b"],
      ["load b0", "set lr=.1", "train name=a", "set lr=.2", "train name=b"]
    ),
    // A network that is replaced before it is used goes.
    (["load b0", "load b1", "train name=a"], ["load b1", "train name=a"]),
    (["load b0", "train name=a", "load b1"], ["load b0", "train name=a", "load b1"]),
    // A plot into a file is kept, the same file drawn again replaces it.
    (
      ["load b0", "train name=a", "plot loss runs=a > l.png", "plot top1 runs=a > l.png"],
      ["load b0", "train name=a", "plot top1 runs=a > l.png"]
    ),
    // Defaults put back where nothing was set leave no trace.
    (["set mixup=.2", "unset mixup", "load b0"], ["load b0"]),
    (["set lr=.1", "load b0", "set lr=default", "train"], ["load b0", "train"]),
    (
      ["load b0", "set mixup=.2", "train name=a", "unset mixup", "train name=b"],
      ["load b0", "set mixup=.2", "train name=a", "unset mixup", "train name=b"]
    ),
    // Checks and remarks stay.
    (
      ["note hello", "load b0", "train name=a", "expect top1 >= 5 run=a", "set lr=.1"],
      ["note hello", "load b0", "train name=a", "expect top1 >= 5 run=a", "set lr=.1"]
    ),
    // Sets do not move from cell to cell.
    (
      ["#", "set lr=.1", "set bs=4", "#", "load b0", "train name=a"],
      ["set batch-size=4 lr=.1", "load b0", "train name=a"]
    ),
    // What was stopped goes, unless it says how to repeat it.
    (["load b0", "s train name=a"], ["load b0"]),
    ([], []),
  ])
  func scenarios(lines: [String], kept: [String]) throws {
    #expect(try Self.slice(lines).lines.map(\.text) == kept.map(Self.canonical))
  }

  private static func canonical(_ line: String) throws -> String {
    try Binder(vocabulary: Fake.vocabulary).bind(line: line).canonicalText
  }

  @Test func reasonsAndSummary() throws {
    let journal = try Self.journal([
      "load b0", "x load b9", "show", "show all", "set lr=.1", "set lr=.2", "u seed 1", "save s.wb",
      "set bs=4", "train name=a",
    ])
    let slice = Slicer().slice(journal)
    #expect(slice.lines.map(\.text) == ["load b0", "set batch-size=4 lr=.2", "train name=a"])
    #expect(slice.lines.map(\.entries) == [[0], [5, 8], [9]])
    #expect(slice.dropped.map(\.entry) == [1, 2, 3, 4, 6, 7])
    #expect(
      slice.dropped.map(\.reason) == [.failed, .look, .look, .superseded(by: 5), .undone, .session])
    #expect(Slice.explain(slice.dropped[3].reason, in: journal) == "superseded by 'set lr=.2'")
    #expect(
      slice.summary
        == "10 commands → 3 kept; 1 merged; dropped: 1 failed, 1 undone, 2 looks, 1 about the session, 1 superseded"
    )
  }

  @Test func deletedRunsAreNoSinks() throws {
    let journal = try Self.journal(["load b0", "train name=a", "load b1", "train name=b"])
    let slicer = Slicer { $0 != .run("a") }
    #expect(slicer.slice(journal).lines.map(\.text) == ["load b1", "train name=b"])
  }

  @Test func aStoppedTrainingIsSavedAsItRan() throws {
    var journal = try Self.journal(["load b0", "s train name=a"])
    journal[1].savedText = "train name=a stop-at=12"
    #expect(Slicer().slice(journal).lines.map(\.text) == ["load b0", "train name=a stop-at=12"])
  }

  @Test func patternsThatMayBeWrittenHideNothing() {
    let journal = [
      JournalEntry(verb: "a", text: "a", effect: .change, writes: ["params.lr"]),
      JournalEntry(verb: "p", text: "p", effect: .change, writes: ["params.*"]),
      JournalEntry(
        verb: "t", text: "t", effect: .change, reads: ["params.*"], writes: ["run:x"]),
    ]
    #expect(Slicer().slice(journal).lines.map(\.text) == ["a", "p", "t"])
  }

  @Test func slotsOverlap() {
    #expect(Slot("params.*").overlaps("params.lr"))
    #expect(Slot("params.lr").overlaps("params.*"))
    #expect(!Slot("params.lr").overlaps("params.lr-noise"))
    #expect(Slot("run:*").overlaps("*"))
    #expect(!Slot("run:*").overlaps("file:*"))
  }

  /// Running the slice leaves the same state as running everything, whatever was typed.
  @Test func randomSessionsAreRebuilt() throws {
    var random = RandomSource(seed: 5)
    let pool = [
      "set lr=.1", "set lr=.2", "set bs=4 lr=.3", "set epochs=3", "set lr=default", "unset lr",
      "unset lr epochs", "load b0", "load b1 classes=10", "data digits", "data cifar10",
      "train name=a", "train name=b", "train", "plot loss runs=a > a.png", "plot loss > b.png",
      "show", "note hi", "expect top1 >= 5 run=a", "seed 1", "seed 2", "x load b0", "u set bs=8",
    ]
    for _ in 0..<300 {
      let count = Int.random(in: 1...14, using: &random)
      let lines = (0..<count).map { _ in pool.randomElement(using: &random) ?? "show" }
      let journal = try Self.journal(lines)
      let slice = Slicer().slice(journal)
      let whole = journal.filter { $0.status == .ok && !$0.isUndone }
      let cut = try Self.journal(slice.lines.map(\.text))
      #expect(Self.state(after: cut) == Self.state(after: whole), "\(lines)")
      #expect(slice.lines.count <= whole.count)
    }
  }

  /// What every slot depends on: the text that wrote it and the state of what that read.
  private static func state(after journal: [JournalEntry]) -> [Slot: String] {
    var state: [Slot: String] = [:]
    for entry in journal where entry.effect == .change {
      if !entry.assignments.isEmpty {
        for assignment in entry.assignments {
          state[assignment.slot] = assignment.isReset ? nil : assignment.text
        }
        continue
      }
      if entry.restoresDefaults {
        for slot in entry.writes { state[slot] = nil }
        continue
      }
      let inputs = state.filter { slot, _ in entry.reads.contains { $0.overlaps(slot) } }
        .sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      for slot in entry.writes {
        state[slot] = "\(entry.text) <- [\(inputs.joined(separator: "; "))]"
      }
    }
    return state
  }

  // MARK: Loops

  /// A journal in which all lines between `for` and `end` stem from one loop.
  private static func looped(_ lines: [String]) throws -> [JournalEntry] {
    let start = lines.firstIndex(of: "for") ?? 0
    let end = lines.firstIndex(of: "end") ?? 0
    var entries = try journal(lines.filter { $0 != "for" && $0 != "end" })
    for position in 0..<(end - start - 1) {
      entries[start + position].loop = JournalEntry.Loop(
        text: "for …", position: position, count: end - start - 1, values: ["e": "3"])
    }
    return entries
  }

  @Test func aLoopThatIsKeptWholeStaysALoop() throws {
    let journal = try Self.looped([
      "load b0", "set bs=4", "for", "set lr=.1", "train name=a", "set lr=.2", "train name=b", "end",
      "set epochs=5",
    ])
    let slice = Slicer().slice(journal)
    #expect(slice.lines.map(\.text) == ["load b0", "set batch-size=4", "for …", "set epochs=5"])
    #expect(slice.lines[2].entries == [2, 3, 4, 5] && slice.lines[2].isLoop)
    #expect(slice.summary == "7 commands → 7 kept, some in 1 loop")
    let unrolled = Slicer(keepsLoops: false).slice(journal)
    #expect(unrolled.lines.map(\.text).contains("train name=b") && unrolled.lines.count == 6)
  }

  @Test(arguments: [
    // Something of it is superseded, undone, failed or only a look.
    ["load b0", "for", "set lr=.1", "set lr=.2", "end", "train name=a"],
    ["load b0", "for", "train name=a", "u train name=b", "end"],
    ["load b0", "for", "train name=a", "x train name=b", "end"],
    ["load b0", "for", "train name=a", "show", "end"],
  ])
  func aLoopThatIsNotKeptWholeIsUnrolled(lines: [String]) throws {
    let slice = Slicer().slice(try Self.looped(lines))
    #expect(!slice.lines.contains { $0.isLoop || $0.text == "for …" })
  }

  @Test func aLoopWithOtherParametersThanThenIsUnrolled() throws {
    let journal = try Self.looped(["for", "train name=a", "train name=b", "end"])
    let same = Slicer().slice(journal.map { $0.templated { _ in "3" } })
    #expect(same.lines.map(\.text) == ["for …"])
    let other = Slicer().slice(journal.map { $0.templated { _ in "4" } })
    #expect(other.lines.map(\.text) == ["train name=a", "train name=b"])
  }
}
