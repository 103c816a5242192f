internal import CProcessor

/// How far ahead kernels ask for what they read or write (`Lanes.fetch`).
enum Ahead {
  /// Products of vectors until a row is written: some 200 ns, in which memory answers.
  static let products = 1_536
  /// Rows, where some channels of each are taken: a processor does not fetch those of its own accord.
  static let rows = 8
  /// Floats, where memory is read in order and long chains of operations keep loads from starting early.
  static let floats = 1_024
  /// Channels, where a few whole rows are read side by side.
  @inline(__always) static func channels<L: Lanes>(_: L.Type) -> Int { 2 &* L.width }
}

/// A rectangle of numbers that is fetched into the cache a few lines at a time, during pieces of work
/// that take longer than the lines: memory is then read at no cost in time.
///
/// A processor has few lines under way at once and waits when it asks for more: the lines are listed,
/// for the work to ask for one now and then.
struct ReadAhead {
  private var line: UnsafePointer<Float>
  private let stride: Int
  private let linesPerRow: Int
  private let linesPerSlot: Int
  /// Lines to go: of the row, of all.
  private var leftInRow: Int
  private var left: Int

  /// - Parameters:
  ///   - rows: its rows, `stride` floats apart; none for nothing.
  ///   - width: the floats of a row.
  ///   - slots: the pieces of work over which the fetching is spread.
  init(_ first: UnsafePointer<Float>, rows: Int, stride: Int, width: Int, slots: Int) {
    line = first
    self.stride = stride
    // Rows without gaps are one.
    let lines = (width &+ 15) / 16
    left = max(0, rows) &* lines
    linesPerRow = width == stride && width & 15 == 0 ? max(1, left) : lines
    leftInRow = linesPerRow
    linesPerSlot = (left &+ slots &- 1) / slots
  }

  /// So many floats that lie together.
  init(_ first: UnsafePointer<Float>, count: Int, slots: Int) {
    let whole = (count &+ 15) & ~15
    self.init(first, rows: 1, stride: whole, width: whole, slots: slots)
  }

  /// Writes the lines of the next slots to `lines` behind the `count` that are there, at most up to
  /// `limit`; asks for those beyond it at once.
  /// - Returns: how many are there now.
  @inline(__always)
  mutating func list(
    slots: Int, to lines: UnsafeMutablePointer<RowPointer>, from count: Int, limit: Int
  ) -> Int {
    let wanted = min(left, slots &* linesPerSlot)
    let listed = min(wanted, limit &- count)
    var done = 0
    while done < listed {
      let run = min(leftInRow, listed &- done)
      let target = lines + (count &+ done)
      for index in 0..<run { target[index] = line + index &* 16 }
      done &+= run
      pass(run)
    }
    ask(wanted &- listed)
    return count &+ listed
  }

  /// Asks for the lines of the next slot at once: few, for work that takes long.
  @inline(__always)
  mutating func ask() { ask(min(left, linesPerSlot)) }

  @inline(__always)
  private mutating func ask(_ count: Int) {
    for _ in 0..<count {
      processor_prefetch(line)
      pass(1)
    }
  }

  /// Goes on by some lines of the row.
  @inline(__always)
  private mutating func pass(_ count: Int) {
    line += count &* 16
    left &-= count
    leftInRow &-= count
    if leftInRow == 0 {
      line += stride &- linesPerRow &* 16
      leftInRow = linesPerRow
    }
  }
}
