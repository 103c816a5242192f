/// Cuts a journal down to the commands that rebuild what the session has made.
///
/// 1. What failed, was undone, only looked, or concerned the session is dropped.
/// 2. Going backwards from what is alive at the end (and from every check), an entry is kept if it
///    writes a slot that something later needs; what it reads is then needed too.
/// 3. Assignments are kept or dropped one by one, and those that are kept move down, sorted and in
///    one line, to the first command that reads any of them.
/// 4. A loop of which every command is kept as it ran stands there as it was written.
public struct Slicer: Sendable {
  /// Whether a slot matters at the end: a run that was deleted does not.
  public let isLive: @Sendable (Slot) -> Bool
  /// Whether loops may stay as they were written.
  public let keepsLoops: Bool

  /// A slicer; by default every slot matters.
  public init(
    keepsLoops: Bool = true, isLive: @escaping @Sendable (Slot) -> Bool = { _ in true }
  ) {
    self.keepsLoops = keepsLoops
    self.isLive = isLive
  }

  /// The slice of a journal.
  public func slice(_ journal: [JournalEntry]) -> Slice {
    var selection = Selection(journal: journal, isLive: isLive)
    selection.dropByStatus()
    selection.sliceBackwards()
    selection.dropIdle()
    let lines = Emission.lines(of: selection, loops: keepsLoops ? selection.wholeLoops : [:])
    let dropped = journal.indices.compactMap { index in
      selection.reasons[index].map { Slice.Dropped(entry: index, reason: $0) }
    }
    return Slice(lines: lines, dropped: dropped, entryCount: journal.count)
  }
}

/// Which entries, and which assignments of them, are kept.
private struct Selection {
  let journal: [JournalEntry]
  let isLive: @Sendable (Slot) -> Bool
  /// Why entries are left out.
  var reasons: [Int: Slice.Reason] = [:]
  /// The assignments that are kept, for entries that consist of them.
  var assignments: [Int: [JournalEntry.Assignment]] = [:]

  mutating func dropByStatus() {
    for (index, entry) in journal.enumerated() {
      if entry.isUndone {
        reasons[index] = .undone
      } else if entry.status == .failed {
        reasons[index] = .failed
      } else if entry.effect == .look {
        reasons[index] = .look
      } else if entry.effect == .session || entry.effect == .process {
        reasons[index] = .session
      } else if entry.status == .interrupted, entry.savedText == nil {
        reasons[index] = .interrupted
      }
    }
  }

  mutating func sliceBackwards() {
    var needs = Needs(isLive: isLive)
    for index in journal.indices.reversed() where reasons[index] == nil {
      let entry = journal[index]
      if entry.effect == .annotation { continue }
      if !entry.assignments.isEmpty {
        var kept: [JournalEntry.Assignment] = []
        var supersededBy: Int?
        for assignment in entry.assignments {
          if needs.contains(assignment.slot) {
            kept.append(assignment)
            needs.satisfy(assignment.slot, by: index)
          } else {
            supersededBy = supersededBy ?? needs.writer(of: assignment.slot)
          }
        }
        if kept.isEmpty {
          reasons[index] = supersededBy.map(Slice.Reason.superseded) ?? .unused
        } else {
          assignments[index] = kept
          needs.add(entry.reads)
        }
        continue
      }
      // A change that declares no slot may do anything, so it is kept.
      let isKept =
        entry.effect == .check || entry.writes.isEmpty
        || entry.writes.contains(where: needs.contains)
      guard isKept else {
        let writer = entry.writes.lazy.compactMap { needs.writer(of: $0) }.first
        reasons[index] = writer.map(Slice.Reason.superseded) ?? .unused
        continue
      }
      for slot in entry.writes {
        if entry.restoresDefaults { needs.clear(slot) }
        needs.satisfy(slot, by: index)
      }
      needs.add(entry.reads)
    }
  }

  /// Drops what puts back to the default what nothing before has changed.
  mutating func dropIdle() {
    var written: [Slot] = []
    for index in journal.indices where reasons[index] == nil {
      let entry = journal[index]
      let writes = assignments[index].map { $0.map(\.slot) } ?? entry.writes
      func isChanged(_ slot: Slot) -> Bool { written.contains { $0.overlaps(slot) } }
      if let parts = assignments[index] {
        let kept = parts.filter { !$0.isReset || isChanged($0.slot) }
        assignments[index] = kept
        if kept.isEmpty { reasons[index] = .idle }
      } else if entry.restoresDefaults, !writes.isEmpty, !writes.contains(where: isChanged) {
        reasons[index] = .idle
      }
      if reasons[index] == nil { written += writes }
    }
  }
}

extension Selection {
  /// The loops of which every command is kept as it ran: their ends by their beginnings.
  var wholeLoops: [Int: Int] {
    var found: [Int: Int] = [:]
    for start in journal.indices {
      guard let loop = journal[start].loop, loop.position == 0,
        start + loop.count <= journal.count
      else { continue }
      let isWhole = (0..<loop.count).allSatisfy { position in
        let entry = journal[start + position]
        return entry.loop?.text == loop.text && entry.loop?.position == position
          && entry.cell == journal[start].cell && isKeptWhole(start + position)
      }
      if isWhole { found[start] = start + loop.count }
    }
    return found
  }

  private func isKeptWhole(_ index: Int) -> Bool {
    let entry = journal[index]
    guard reasons[index] == nil, entry.status == .ok, entry.savedText == nil else { return false }
    return assignments[index].map { $0.count == entry.assignments.count } ?? true
  }
}

/// The slots that something later needs, while going backwards.
private struct Needs {
  let isLive: (Slot) -> Bool
  private var wanted: Set<Slot> = []
  /// Patterns that something reads, each with the slots that were written since.
  private var patterns: [Slot: Set<Slot>] = [:]
  /// The entry that has written a slot last.
  private var writers: [Slot: Int] = [:]
  /// Patterns whose slots something later puts back to their defaults.
  private var cleared: [Slot] = []

  init(isLive: @escaping (Slot) -> Bool) { self.isLive = isLive }

  func contains(_ slot: Slot) -> Bool {
    if slot.isPattern {
      return isLive(slot) || wanted.contains { $0.overlaps(slot) }
        || patterns.keys.contains { $0.overlaps(slot) }
    }
    if wanted.contains(slot) { return true }
    if patterns.contains(where: { $0.key.overlaps(slot) && !$0.value.contains(slot) }) {
      return true
    }
    return writers[slot] == nil && !cleared.contains { $0.overlaps(slot) } && isLive(slot)
  }

  func writer(of slot: Slot) -> Int? { writers[slot] }

  /// An entry has written the slot: nothing before it is needed for that.
  mutating func satisfy(_ slot: Slot, by entry: Int) {
    // Which slots of a pattern were written is not known, so none is satisfied.
    guard !slot.isPattern else { return }
    wanted.remove(slot)
    writers[slot] = entry
    for pattern in patterns.keys where pattern.overlaps(slot) {
      patterns[pattern]?.insert(slot)
    }
  }

  /// An entry has put all slots of a pattern back to their defaults.
  mutating func clear(_ pattern: Slot) {
    guard pattern.isPattern else { return }
    wanted = wanted.filter { !$0.overlaps(pattern) }
    patterns = patterns.filter { !$0.key.overlaps(pattern) }
    cleared.append(pattern)
  }

  mutating func add(_ reads: [Slot]) {
    for slot in reads {
      if slot.isPattern { patterns[slot] = [] } else { wanted.insert(slot) }
    }
  }
}

/// Writes the kept entries down in order, assignments gathered before their first reader.
private struct Emission {
  private var lines: [Slice.Line] = []
  private var pending: [(assignment: JournalEntry.Assignment, entry: Int)] = []
  private var pendingComments: [String] = []
  private var verb = ""
  private var cell = 0

  static func lines(of selection: Selection, loops: [Int: Int]) -> [Slice.Line] {
    var emission = Emission()
    var loopEnd = 0
    for (index, entry) in selection.journal.enumerated() where selection.reasons[index] == nil {
      if index < loopEnd { continue }
      if let end = loops[index], let loop = entry.loop {
        emission.add(loop, index..<end, entry)
        loopEnd = end
      } else {
        emission.add(entry, index, selection.assignments[index])
      }
    }
    emission.flush()
    return emission.lines
  }

  private mutating func add(
    _ entry: JournalEntry, _ index: Int, _ assignments: [JournalEntry.Assignment]?
  ) {
    if entry.cell != cell { flush() }
    cell = entry.cell
    if let assignments {
      if entry.verb != verb || entry.reads.contains(where: isPending) { flush() }
      verb = entry.verb
      let slots = Set(assignments.map(\.slot))
      if pending.contains(where: { slots.contains($0.assignment.slot) }) { flush() }
      pending += assignments.map { ($0, index) }
      pendingComments += entry.comments
      return
    }
    let touches = (entry.reads + entry.writes).contains(where: isPending)
    if touches || entry.effect == .annotation { flush() }
    lines.append(
      Slice.Line(
        text: entry.savedText ?? entry.text, entries: [index], cell: cell,
        comments: entry.comments))
  }

  private mutating func add(
    _ loop: JournalEntry.Loop, _ entries: Range<Int>, _ first: JournalEntry
  ) {
    flush()
    cell = first.cell
    // What the loop says inside of itself stands in its text.
    let comments = first.comments.filter { !loop.text.contains($0) }
    lines.append(
      Slice.Line(
        text: loop.text, entries: Array(entries), cell: cell, comments: comments, isLoop: true))
  }

  private func isPending(_ slot: Slot) -> Bool {
    pending.contains { $0.assignment.slot.overlaps(slot) }
  }

  private mutating func flush() {
    guard !pending.isEmpty else { return }
    let sorted = pending.sorted {
      ($0.assignment.order, $0.assignment.text) < ($1.assignment.order, $1.assignment.text)
    }
    let text = ([verb] + sorted.map(\.assignment.text)).joined(separator: " ")
    let entries = Set(pending.map(\.entry)).sorted()
    lines.append(
      Slice.Line(text: text, entries: entries, cell: cell, comments: pendingComments))
    pending = []
    pendingComments = []
  }
}
