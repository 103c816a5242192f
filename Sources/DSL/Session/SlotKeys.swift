/// What every slot holds after some commands, without running them: a digest of how it came about.
///
/// Two histories that give a slot the same key give it the same contents, because commands depend on
/// nothing but their text and the slots that they read. This is how a saved script is compared with
/// the session it was cut from, and how a cell knows that its results are out of date.
public struct SlotKeys: Hashable, Sendable {
  private var keys: [Slot: UInt64] = [:]
  /// What was done to every slot of a pattern, whichever they are.
  private var patterns: [Slot: UInt64] = [:]

  /// The slots of a new session: all as they are by default.
  public init() {}

  /// The digest of a command with all that it reads: equal digests, equal results.
  public func key(of entry: JournalEntry) -> UInt64 {
    var digest = Digest()
    digest.add(entry.savedText ?? entry.text)
    for slot in Set(entry.reads).sorted() {
      for (name, key) in contents(of: slot) {
        digest.add(name)
        digest.add(key)
      }
    }
    return digest.value
  }

  /// Goes on by one command that was run; what failed or only looked changes nothing.
  public mutating func apply(_ entry: JournalEntry) {
    guard entry.changesSlots else { return }
    if entry.restoresDefaults {
      for slot in entry.writes { keys = keys.filter { !$0.key.overlaps(slot) } }
      return
    }
    if !entry.assignments.isEmpty {
      for assignment in entry.assignments {
        var digest = Digest()
        digest.add(assignment.text)
        keys[assignment.slot] = assignment.isReset ? nil : digest.value
      }
      return
    }
    let key = key(of: entry)
    for slot in entry.writes {
      if slot.isPattern {
        patterns[slot] = key
        for (known, before) in keys where slot.overlaps(known) {
          keys[known] = Self.joined(before, key)
        }
      } else {
        keys[slot] = key
      }
    }
  }

  /// A slot is as it is by default again.
  public mutating func reset(_ slot: Slot) { keys[slot] = nil }

  /// The slots for which the two differ and `matters` says yes, in alphabetical order.
  public func differences(from other: SlotKeys, where matters: (Slot) -> Bool) -> [Slot] {
    let slots = Set(keys.keys).union(other.keys.keys)
    var found = slots.filter { keys[$0] != other.keys[$0] && matters($0) }
    found.formUnion(
      Set(patterns.keys).union(other.patterns.keys).filter { patterns[$0] != other.patterns[$0] })
    return found.sorted()
  }

  /// The slots among those that `slot` stands for in which the two differ.
  public func differences(from other: SlotKeys, in slot: Slot) -> [Slot] {
    let mine = Dictionary(contents(of: slot)) { $1 }
    let theirs = Dictionary(other.contents(of: slot)) { $1 }
    return Set(mine.keys).union(theirs.keys).filter { (mine[$0] ?? 0) != (theirs[$0] ?? 0) }
      .sorted().map { Slot($0) }
  }

  private func contents(of slot: Slot) -> [(String, UInt64)] {
    var found: [(String, UInt64)] = []
    if slot.isPattern {
      found = keys.filter { slot.overlaps($0.key) }.map { ($0.key.name, $0.value) }
    } else {
      found = keys[slot].map { [(slot.name, $0)] } ?? []
    }
    for (pattern, key) in patterns where pattern.overlaps(slot) {
      found.append((pattern.name, key))
    }
    return found.sorted { $0 < $1 }
  }

  private static func joined(_ first: UInt64, _ second: UInt64) -> UInt64 {
    var digest = Digest()
    digest.add(first)
    digest.add(second)
    return digest.value
  }

  /// FNV-1a, 64 bit: the same in every process.
  private struct Digest {
    private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func add(_ text: String) {
      for byte in text.utf8 { mix(byte) }
      mix(0)
    }

    mutating func add(_ number: UInt64) {
      for shift in stride(from: 0, to: 64, by: 8) {
        mix(UInt8(truncatingIfNeeded: number >> shift))
      }
    }

    private mutating func mix(_ byte: UInt8) {
      value = (value ^ UInt64(byte)) &* 0x100_0000_01B3
    }
  }
}

extension JournalEntry {
  /// Whether it left a trace in the state: it ran to its end, or was stopped in a way that can be
  /// repeated, and did more than look.
  public var changesSlots: Bool {
    guard !isUndone, effect == .change else { return false }
    return status == .ok || (status == .interrupted && savedText != nil)
  }
}
