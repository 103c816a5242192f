/// The part of a journal that rebuilds what the session has made, and why the rest is left out.
public struct Slice: Hashable, Sendable {
  /// One line of the script.
  public struct Line: Hashable, Sendable {
    /// The command.
    public let text: String
    /// The entries it stems from, by their place in the journal.
    public let entries: [Int]
    /// The key of the cell it belongs to.
    public let cell: Int
    /// The comments that stand before it, each with its `#`.
    public let comments: [String]
    /// Whether it is a loop, which stands for all of its entries.
    public var isLoop = false
  }

  /// Why an entry is left out.
  public enum Reason: Hashable, Sendable {
    /// It failed.
    case failed
    /// The user stopped it, and nothing says how to repeat that.
    case interrupted
    /// `undo` took it back.
    case undone
    /// It only showed something.
    case look
    /// It concerned the session or the process.
    case session
    /// A later entry replaced what it wrote before anything read it.
    case superseded(by: Int)
    /// Nothing that is kept uses what it wrote.
    case unused
    /// It put back what nothing had changed.
    case idle
  }

  /// An entry that is left out.
  public struct Dropped: Hashable, Sendable {
    /// Its place in the journal.
    public let entry: Int
    /// Why.
    public let reason: Reason
  }

  /// The script.
  public let lines: [Line]
  /// The entries that are left out, in the order of the journal.
  public let dropped: [Dropped]
  /// The number of entries that the slice was cut from.
  public let entryCount: Int

  /// `31 commands → 9 kept; dropped: 6 failed, 12 looks, 4 superseded`
  public var summary: String {
    let loops = lines.filter(\.isLoop)
    let kept = lines.count - loops.count + loops.reduce(0) { $0 + $1.entries.count }
    var text = "\(Self.counted(entryCount, "command", "commands")) → \(kept) kept"
    if !loops.isEmpty { text += ", some in \(Self.counted(loops.count, "loop", "loops"))" }
    let merged = Set(lines.flatMap(\.entries)).count - kept
    if merged > 0 { text += "; \(merged) merged" }
    let groups: [(String, String, (Reason) -> Bool)] = [
      ("failed", "failed", { $0 == .failed }),
      ("stopped", "stopped", { $0 == .interrupted }),
      ("undone", "undone", { $0 == .undone }),
      ("look", "looks", { $0 == .look }),
      ("about the session", "about the session", { $0 == .session }),
      ("superseded", "superseded", { if case .superseded = $0 { true } else { false } }),
      ("unused", "unused", { $0 == .unused || $0 == .idle }),
    ]
    let parts = groups.compactMap { one, many, matches in
      let count = dropped.count { matches($0.reason) }
      return count > 0 ? Self.counted(count, one, many) : nil
    }
    return parts.isEmpty ? text : "\(text); dropped: \(parts.joined(separator: ", "))"
  }

  /// Why an entry is left out, in words; `journal` is what the slice was cut from.
  public static func explain(_ reason: Reason, in journal: [JournalEntry]) -> String {
    switch reason {
    case .failed: "it failed"
    case .interrupted: "it was stopped"
    case .undone: "it was undone"
    case .look: "it only showed something"
    case .session: "it concerned the session"
    case .superseded(let later): "superseded by '\(journal[later].text)'"
    case .unused: "nothing that is kept uses it"
    case .idle: "it put back what nothing had changed"
    }
  }

  private static func counted(_ count: Int, _ one: String, _ many: String) -> String {
    "\(count) \(count == 1 ? one : many)"
  }
}
