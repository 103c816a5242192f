internal import CProcessor

/// A rectangle of numbers that is fetched into the cache a few lines at a time, between pieces of
/// work that take longer than the lines: memory is then read at no cost in time.
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
    linesPerRow = (width &+ 15) / 16
    leftInRow = linesPerRow
    left = max(0, rows) &* linesPerRow
    linesPerSlot = (left &+ slots &- 1) / slots
  }

  /// Asks for the lines of the next slots.
  @inline(__always)
  mutating func fetch(slots: Int) {
    let count = min(left, slots &* linesPerSlot)
    for _ in 0..<count {
      processor_prefetch(line)
      leftInRow &-= 1
      if leftInRow > 0 {
        line += 16
      } else {
        line += stride &- (linesPerRow &- 1) &* 16
        leftInRow = linesPerRow
      }
    }
    left &-= count
  }
}
