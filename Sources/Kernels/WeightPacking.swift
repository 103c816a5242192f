internal import CProcessor

/// Copies weights into panels, so that the microkernels read them in one sequential stream.
///
/// Panel p holds, for every row of the matrix, vectors * 16 columns; columns that do not exist are
/// zero. It begins at rows * column(p).
struct WeightPacking {
  /// Rows of the matrix: taps * depth.
  let rows: Int
  let panels: Table<Panel>
  private static let chunk = 64

  /// Columns of all panels, padding included.
  var columns: Int {
    let last = panels.base[panels.count - 1]
    return last.column + last.vectors * 16
  }

  /// Columns of the widest panel, padding included.
  var widest: Int {
    16 * (0..<panels.count).reduce(1) { max($0, panels.base[$1].vectors) }
  }

  /// Floats that the packed matrix takes.
  var count: Int { rows * columns }

  /// Packs some panels of `weight` [rows][columns], every column times its `scale` where one is given, to
  /// memory where the first of them begins.
  func pack(
    _ weight: UnsafePointer<Float>, columns: Int, scale: UnsafePointer<Float>? = nil,
    panels: Range<Int>, into packed: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let chunks = (rows + Self.chunk - 1) / Self.chunk
    let (rows, all) = (rows, self.panels.base)
    let before = all[panels.lowerBound].column
    pool.run(chunks * panels.count) { task in
      let panel = all[panels.lowerBound &+ task / chunks]
      let start = task % chunks * Self.chunk
      let width = panel.vectors &* 16
      let count = min(rows, start &+ Self.chunk) &- start
      let target = packed + rows &* (panel.column &- before) + start &* width
      packPanel(
        weight + start &* columns + panel.column, stride: columns, panel, count: count, into: target
      )
      guard let scale else { return }
      for row in 0..<count {
        ScaledPanel(scale: scale + panel.column, target: target + row &* width).cover(panel.width)
      }
    }
  }

  /// Packs some panels of the transpose of each tap of `weight` [taps][columns][depth], taps in the given
  /// order, to memory where the first of them begins.
  func packTransposed(
    _ weight: UnsafePointer<Float>, columns: Int, depth: Int, order: Table<Int>,
    panels: Range<Int>, into packed: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let chunks = (depth + Self.chunk - 1) / Self.chunk
    let (rows, all, taps) = (rows, self.panels.base, order.base)
    let (tapCount, before) = (order.count, all[panels.lowerBound].column)
    pool.run(chunks * tapCount * panels.count) { task in
      let panel = all[panels.lowerBound &+ task / (chunks * tapCount)]
      let slot = task / chunks % tapCount
      let start = task % chunks * Self.chunk
      let end = min(depth, start &+ Self.chunk)
      let width = panel.vectors &* 16
      let source = weight + (taps[slot] &* columns &+ panel.column) &* depth
      // Short stretches of many rows, which a processor does not fetch ahead of its own accord.
      for column in 0..<panel.width {
        for k in stride(from: start, to: end, by: 16) {
          processor_prefetch(source + (column &* depth &+ k))
        }
      }
      packTransposedPanel(
        source, stride: depth, panel, depth: start..<end,
        into: packed + rows &* (panel.column &- before) + slot &* depth &* width)
    }
  }
}

extension Table<Panel> {
  /// Calls `body` with every panel and row, some rows of a panel at a time in parallel.
  @inline(__always)
  func forEach(
    rows: Int, chunk: Int, _ pool: ThreadPool, _ body: (_ panel: Panel, _ row: Int) -> Void
  ) {
    let (panels, chunks) = (base, (rows + chunk - 1) / chunk)
    pool.run(chunks * count) { task in
      let panel = panels[task / chunks]
      let start = task % chunks &* chunk
      for row in start..<min(rows, start &+ chunk) { body(panel, row) }
    }
  }
}

/// target[k * panel's vectors * 16 + column] = source[k * stride + column] for a panel's columns and
/// `count` rows k; columns that do not exist are zero.
func packPanel(
  _ source: UnsafePointer<Float>, stride: Int, _ panel: Panel, count: Int,
  into target: UnsafeMutablePointer<Float>
) {
  let width = panel.vectors &* 16
  var (row, place) = (source, target)
  for _ in 0..<count {
    copyPadded(row, panel.width, place, width)
    row += stride
    place += width
  }
}

/// target[k * panel's vectors * 16 + column] = source[column * stride + k] for a panel's columns and
/// the k of `depth`; columns that do not exist are zero.
func packTransposedPanel(
  _ source: UnsafePointer<Float>, stride: Int, _ panel: Panel, depth: Range<Int>,
  into target: UnsafeMutablePointer<Float>
) {
  let width = panel.vectors &* 16
  var column = 0
  while column < width {
    let exist = panel.width &- column
    if exist >= 16 {
      transpose16(
        source + column &* stride, stride, depth.lowerBound, depth.upperBound, target + column,
        width)
    } else {
      for k in depth {
        for lane in 0..<16 {
          target[k &* width &+ column &+ lane] =
            lane < exist ? source[(column &+ lane) &* stride &+ k] : 0
        }
      }
    }
    column &+= 16
  }
}

private struct ScaledPanel: ChannelGroup {
  let scale: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    (L.load(target + c) * L.load(scale + c)).store(target + c)
  }
}

/// Copies `count` floats and fills up to `width` (a multiple of 16) with zeros.
@inline(__always)
func copyPadded(
  _ source: UnsafePointer<Float>, _ count: Int, _ target: UnsafeMutablePointer<Float>,
  _ width: Int
) {
  var index = 0
  while index &+ 16 <= count {
    Vector.load(source + index).store(target + index)
    index &+= 16
  }
  while index < count {
    target[index] = source[index]
    index &+= 1
  }
  while index < width {
    target[index] = 0
    index &+= 1
  }
}

/// target[k * width + lane] = source[lane * stride + k] for 16 lanes and start <= k < end.
@inline(__always)
private func transpose16(
  _ source: UnsafePointer<Float>, _ stride: Int, _ start: Int, _ end: Int,
  _ target: UnsafeMutablePointer<Float>, _ width: Int
) {
  var k = start
  while k &+ 16 <= end {
    var rows = InlineArray<16, Vector> { Vector.load(source + ($0 &* stride &+ k)) }
    // Four perfect shuffles of sixteen rows are a transposition.
    for _ in 0..<4 {
      let old = rows
      for i in 0..<8 {
        var pair = SIMD32<Float>()
        pair.evenHalf = old[i]
        pair.oddHalf = old[i &+ 8]
        rows[2 &* i] = pair.lowHalf
        rows[2 &* i &+ 1] = pair.highHalf
      }
    }
    for i in 0..<16 { rows[i].store(target + (k &+ i) &* width) }
    k &+= 16
  }
  while k < end {
    for lane in 0..<16 { target[k &* width &+ lane] = source[lane &* stride &+ k] }
    k &+= 1
  }
}

/// A matrix of weights from which panels are packed or read.
struct WeightSource {
  private let weight: UnsafePointer<Float>
  /// Floats from row to row in memory.
  private let stride: Int
  /// Whether a panel's columns are rows in memory.
  private let isTransposed: Bool

  init(_ weight: UnsafePointer<Float>, stride: Int, isTransposed: Bool) {
    self.weight = weight
    self.stride = stride
    self.isTransposed = isTransposed
  }

  /// The lines of a panel, to be fetched during a product of the same depth and so many tiles.
  @inline(__always)
  func lines(_ panel: Panel, tiles: Int) -> LinesAhead {
    guard isTransposed else {
      // Of rows that are no whole lines a panel reaches one line more.
      return LinesAhead(
        start: UnsafeRawPointer(weight + panel.column), step: stride &* 4, tileStep: 64,
        tiles: stride & 15 == 0 ? panel.vectors &- 1 : panel.vectors)
    }
    // The columns lie one behind the other.
    let step = (panel.width &* 4 &+ tiles &- 1) / tiles
    return LinesAhead(
      start: UnsafeRawPointer(weight + panel.column &* stride), step: step,
      tileStep: stride &* step)
  }
}
