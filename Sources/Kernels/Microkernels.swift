internal import CProcessor

// The inner loops of the dense convolutions. The generic bodies and the functions that are compiled
// from them stay in one file: apart, they would not be specialised in every build mode.
//
// A tile's sums fill the registers: with AVX-512 up to 27 of 32, where each holds a vector; with
// AVX2 twelve of 16, two to a vector; on ARM 24 of 32, four to a vector. The shape of a tile changes
// no result: every sum has its own order.

/// Whether a register holds a whole vector, and there are enough for tiles of several columns.
@inline(__always) var hasWideRegisters: Bool { processor_has_wide_registers != 0 }

/// The address of a row of numbers to read.
typealias RowPointer = UnsafePointer<Float>
/// The address of a row of numbers to write.
typealias TargetPointer = UnsafeMutablePointer<Float>

/// What a gather tile is to compute: rows x columns sums over taps and depth.
struct GatherTile {
  /// Kernel taps, and numbers per tap.
  var taps: Int
  var depth: Int
  /// The source row of tap t and tile row i is at table[t * tableStride + i].
  var table: UnsafePointer<RowPointer>
  var tableStride: Int
  /// The weights of the tile's columns, one row of vectors per tap and depth, `step` bytes apart.
  var weights: UnsafeRawPointer
  var step: Int
  /// Where the tile's rows go, the tile's first column and how many of its columns exist.
  var targets: UnsafePointer<TargetPointer>
  var column: Int
  var width: Int
  /// How many floats behind a row's target lies the one that is fetched meanwhile to be written.
  var targetAhead = 0
  /// Whether the sums are added to what is there.
  var accumulate: Bool
  /// Room for `temporaryCount` floats: sums that cannot be stored whole pass through it.
  var temporary: UnsafeMutablePointer<Float>
  /// What is fetched into the cache meanwhile: memory is read at no cost in time.
  var ahead: LinesAhead

  static let temporaryCount = 9 * 64 + 2 * 9
}

/// Lines that a product fetches: one for each row of weights of each tile.
struct LinesAhead {
  /// The first tile's first line, and the bytes from row to row of weights.
  var start: UnsafeRawPointer
  var step: Int
  /// The bytes from tile to tile, and after how many tiles there are no more lines: later tiles ask for
  /// the same again.
  var tileStep: Int
  var tiles = Int.max

  /// Nothing but one line, which is there.
  static func none(_ line: UnsafePointer<Float>) -> LinesAhead {
    LinesAhead(start: UnsafeRawPointer(line), step: 0, tileStep: 0)
  }

  /// Goes on by some tiles.
  @inline(__always)
  mutating func pass(_ count: Int) {
    let moved = min(count, tiles)
    start += moved &* tileStep
    tiles &-= moved
  }
}

/// `tiles` times the next `height` rows by `vectors` * 16 columns, held in registers over all taps.
///
/// Nine rows or fewer: with twelve the compiler keeps a copy of the sums in memory. The tiles are
/// counted here because a call for each would take as long as some twenty depths.
@inline(__always)
private func gather<let height: Int, let vectors: Int>(
  _: InlineArray<height, Void>.Type, _: InlineArray<vectors, Void>.Type, _ tile: GatherTile,
  _ tiles: Int
) {
  let step = tile.step
  var lines = tile.ahead
  let aheadStep = lines.step
  let (column, targetAhead) = (tile.column, tile.targetAhead)
  var firstTable = tile.table
  var targets = tile.targets
  for _ in 0..<tiles {
    var sums = InlineArray<height, InlineArray<vectors, Vector>>(
      repeating: InlineArray<vectors, Vector>(repeating: .zero))
    var weights = tile.weights
    var ahead = lines.start
    lines.pass(1)
    var table = firstTable
    // The lines that a later tile of the panel writes are asked for a row at a time while this one
    // is computed: all at once they would hold up what it reads. Behind the last row stands any
    // address: asking for a line is never a fault.
    var asked = 0
    let share = tile.depth / height
    for _ in 0..<tile.taps {
      let rows = InlineArray<height, RowPointer> { table[$0] }
      table += tile.tableStride
      var k = 0
      repeat {
        let next = targets[asked] + (column &+ targetAhead)
        for j in 0..<vectors { processor_prefetch_to_write(next + j &* 16) }
        let isLast = asked == height &- 1
        let end = isLast ? tile.depth : k &+ share
        if !isLast { asked &+= 1 }
        while k < end {
          let b = InlineArray<vectors, Vector> {
            weights.loadUnaligned(fromByteOffset: $0 &* 64, as: Vector.self)
          }
          for i in 0..<height {
            let a = Vector(repeating: rows[i][k])
            for j in 0..<vectors { sums[i][j].addProduct(a, b[j]) }
          }
          processor_prefetch(ahead)
          ahead += aheadStep
          weights += step
          k &+= 1
        }
      } while k < tile.depth
    }
    // Nothing but whole stores here: with a second use of the sums they would live in memory.
    for i in 0..<height {
      let target = targets[i] + column
      for j in 0..<vectors { sums[i][j].store(target + j &* 16) }
    }
    firstTable += height
    targets += height
  }
}

@inline(never) private func gather6x4(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<6, Void>.self, InlineArray<4, Void>.self, tile, tiles)
}
@inline(never) private func gather5x4(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<5, Void>.self, InlineArray<4, Void>.self, tile, tiles)
}
@inline(never) private func gather3x4(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<3, Void>.self, InlineArray<4, Void>.self, tile, tiles)
}
@inline(never) private func gather9x3(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<9, Void>.self, InlineArray<3, Void>.self, tile, tiles)
}
@inline(never) private func gather8x3(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<8, Void>.self, InlineArray<3, Void>.self, tile, tiles)
}
@inline(never) private func gather3x3(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<3, Void>.self, InlineArray<3, Void>.self, tile, tiles)
}
@inline(never) private func gather9x2(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<9, Void>.self, InlineArray<2, Void>.self, tile, tiles)
}
@inline(never) private func gather8x2(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<8, Void>.self, InlineArray<2, Void>.self, tile, tiles)
}
@inline(never) private func gather4x2(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<4, Void>.self, InlineArray<2, Void>.self, tile, tiles)
}
@inline(never) private func gather9x1(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<9, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func gather6x1(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<6, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func gather4x1(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<4, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func gather3x1(_ tile: GatherTile, _ tiles: Int) {
  gather(InlineArray<3, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}

/// The most rows that a gather tile may reach beyond the rows asked for.
let gatherOverhang = 3

/// Computes `rows` rows of a panel of `vectors` * 16 columns. The table and the targets must hold
/// `gatherOverhang` more valid entries.
func gatherRows(_ rows: Int, vectors: Int, _ first: GatherTile) {
  if first.width < vectors &* 16 || first.accumulate {
    gatherParts(rows, vectors: vectors, first)
    return
  }
  var tile = first
  if rows > 1 {
    // The next tile's rows, or later ones where a row is computed sooner than memory answers.
    let step = tile.targets[1] - tile.targets[0]
    let products = tile.taps &* tile.depth &* vectors
    tile.targetAhead = step &* max(9, Ahead.products / max(1, products))
  }
  var row = 0
  while row < rows {
    let done = gatherTiles(rows &- row, vectors: vectors, limit: rows, &tile)
    row &+= done
    tile.targets += done
  }
}

/// `gatherRows` for sums that are added to the target or hang over its end.
private func gatherParts(_ rows: Int, vectors: Int, _ first: GatherTile) {
  let width = vectors &* 16
  let places = UnsafeMutableRawPointer(first.temporary + 9 &* 64)
    .assumingMemoryBound(to: TargetPointer.self)
  for i in 0..<9 { places[i] = first.temporary + i &* width }
  var tile = first
  tile.targets = UnsafePointer(places)
  tile.column = 0
  var targets = first.targets
  var row = 0
  while row < rows {
    let height = gatherTiles(rows &- row, vectors: vectors, limit: 1, &tile)
    for i in 0..<min(height, rows &- row) {
      PartialRow(
        sums: places[i], target: targets[i] + first.column, accumulate: first.accumulate
      ).cover(first.width)
    }
    row &+= height
    targets += height
  }
}

private struct PartialRow: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let target: UnsafeMutablePointer<Float>
  let accumulate: Bool

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let sum = L.load(sums + c)
    (accumulate ? L.load(target + c) + sum : sum).store(target + c)
  }
}

/// Computes the next tiles of one height, at most `limit`, for `rows` rows or a few more, and moves
/// the tile's sources on.
/// - Returns: the rows that were computed.
@inline(__always)
private func gatherTiles(
  _ rows: Int, vectors: Int, limit: Int, _ tile: inout GatherTile
) -> Int {
  let high = hasWideRegisters && vectors < 4 ? 9 : 6
  let low = hasWideRegisters && vectors < 3 ? 4 : 3
  let isSix = hasWideRegisters && vectors == 1 && (5...6) ~= rows
  var height = rows >= high ? high : isSix ? 6 : low
  var tiles = rows >= high ? rows / high : (rows &+ height &- 1) / height
  if hasWideRegisters && vectors > 1 {
    // Some tiles one row lower, where low ones would be left over.
    let (share, higher) = rows.quotientAndRemainder(dividingBy: (rows &+ high &- 1) / high)
    if share == high &- 1 {
      (height, tiles) = higher > 0 ? (high, higher) : (share, rows / share)
    }
  }
  tiles = min(limit, tiles)
  switch (height, vectors) {
  case (6, 4): gather6x4(tile, tiles)
  case (5, 4): gather5x4(tile, tiles)
  case (3, 4): gather3x4(tile, tiles)
  case (9, 3): gather9x3(tile, tiles)
  case (8, 3): gather8x3(tile, tiles)
  case (3, 3): gather3x3(tile, tiles)
  case (9, 2): gather9x2(tile, tiles)
  case (8, 2): gather8x2(tile, tiles)
  case (4, 2): gather4x2(tile, tiles)
  case (9, _): gather9x1(tile, tiles)
  case (6, _): gather6x1(tile, tiles)
  case (4, _): gather4x1(tile, tiles)
  default: gather3x1(tile, tiles)
  }
  tile.table += tiles &* height
  tile.ahead.pass(tiles)
  return tiles &* height
}

/// What an outer-product tile is to compute: Σ over pixels of a column times a row.
struct OuterTile {
  /// Pixels to sum over.
  var pixels: Int
  /// The address of each pixel's numbers for the tile's rows, less `offset`.
  var table: UnsafePointer<RowPointer>
  var offset: Int
  /// The numbers for the tile's columns, vectors * 16 per pixel; pixels are `columnsStep` bytes apart.
  var columns: UnsafePointer<Float>
  var columnsStep: Int
  /// The first sum; rows are `stride` apart. The first `width` columns exist.
  var target: TargetPointer
  var stride: Int
  var width: Int
  /// What the sums begin with, and the distance of its rows: the target itself, or zeros.
  var initial: UnsafePointer<Float>
  var initialStride: Int
  /// Lines that are fetched into the cache meanwhile: one for every four pixels.
  var ahead: UnsafePointer<RowPointer>
  /// How many lines further the next tile goes on; 0 where all tiles ask for the same.
  var aheadStep = 0

  /// The lines that a tile asks for.
  @inline(__always) static func aheadCount(pixels: Int) -> Int { (pixels &+ 3) / 4 }
}

/// `tiles` times the next `height` rows by `vectors` * 16 columns, held in registers over all pixels.
@inline(__always)
private func outer<let height: Int, let vectors: Int>(
  _: InlineArray<height, Void>.Type, _: InlineArray<vectors, Void>.Type, _ tile: OuterTile,
  _ tiles: Int
) {
  let table = tile.table
  let columnsStep = tile.columnsStep
  // Where rows are no whole lines, what is written lies across them.
  let isAcross = tile.stride & 15 != 0
  var ahead = tile.ahead
  var offset = tile.offset
  var target = tile.target
  var initial = tile.initial
  for _ in 0..<tiles {
    var sums = InlineArray<height, InlineArray<vectors, Vector>> { i in
      InlineArray<vectors, Vector> {
        Vector.load(initial + (i &* tile.initialStride &+ $0 &* 16))
      }
    }
    var columns = UnsafeRawPointer(tile.columns)
    for pixel in 0..<tile.pixels {
      if pixel & 3 == 0 { processor_prefetch(ahead[pixel &>> 2]) }
      if pixel & 7 == 0 && pixel < 8 &* height {
        let next = target + (height &+ pixel &>> 3) &* tile.stride
        for j in 0..<vectors { processor_prefetch_to_write(next + j &* 16) }
        if isAcross { processor_prefetch_to_write(next + (vectors &* 16 &- 1)) }
      }
      let row = table[pixel] + offset
      let b = InlineArray<vectors, Vector> {
        columns.loadUnaligned(fromByteOffset: $0 &* 64, as: Vector.self)
      }
      for i in 0..<height {
        let a = Vector(repeating: row[i])
        for j in 0..<vectors { sums[i][j].addProduct(a, b[j]) }
      }
      columns += columnsStep
    }
    for i in 0..<height {
      let row = target + i &* tile.stride
      for j in 0..<vectors { sums[i][j].store(row + j &* 16) }
    }
    offset &+= height
    target += height &* tile.stride
    initial += height &* tile.initialStride
    ahead += tile.aheadStep
  }
}

@inline(never) private func outer8x3(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<8, Void>.self, InlineArray<3, Void>.self, tile, tiles)
}
@inline(never) private func outer9x3(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<9, Void>.self, InlineArray<3, Void>.self, tile, tiles)
}
@inline(never) private func outer1x3(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<1, Void>.self, InlineArray<3, Void>.self, tile, tiles)
}
@inline(never) private func outer8x2(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<8, Void>.self, InlineArray<2, Void>.self, tile, tiles)
}
@inline(never) private func outer9x2(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<9, Void>.self, InlineArray<2, Void>.self, tile, tiles)
}
@inline(never) private func outer1x2(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<1, Void>.self, InlineArray<2, Void>.self, tile, tiles)
}
@inline(never) private func outer8x1(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<8, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func outer9x1(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<9, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func outer6x1(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<6, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func outer5x1(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<5, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func outer4x1(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<4, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}
@inline(never) private func outer1x1(_ tile: OuterTile, _ tiles: Int) {
  outer(InlineArray<1, Void>.self, InlineArray<1, Void>.self, tile, tiles)
}

/// Computes `rows` rows of a panel of `vectors` * 16 columns.
func outerRows(
  _ rows: Int, vectors: Int, temporary: UnsafeMutablePointer<Float>, _ first: OuterTile
) {
  var tile = first
  var left = rows
  let width = vectors &* 16
  let isWhole = tile.width == width
  while left > 0 {
    let (height, equal) = outerTiles(left)
    let tiles = isWhole ? equal : 1
    if isWhole {
      outerTiles(tiles, height: height, vectors: vectors, tile)
    } else {
      // Columns that hang over the target's end pass through the temporary.
      var part = tile
      part.target = temporary
      part.stride = width
      part.initial = UnsafePointer(temporary)
      part.initialStride = width
      for i in 0..<height {
        copyPadded(
          tile.initial + i &* tile.initialStride, tile.width, temporary + i &* width, width)
      }
      outerTiles(1, height: height, vectors: vectors, part)
      for i in 0..<height {
        (tile.target + i &* tile.stride).update(from: temporary + i &* width, count: tile.width)
      }
    }
    let done = tiles &* height
    tile.offset += done
    tile.target += done &* tile.stride
    tile.initial += done &* tile.initialStride
    tile.ahead += tiles &* tile.aheadStep
    left &-= done
  }
}

/// The height of the next tile when `rows` rows are left, and how many tiles have it.
@inline(__always)
private func outerTiles(_ rows: Int) -> (height: Int, count: Int) {
  if hasWideRegisters {
    if rows == 9 { return (9, 1) }
    // Eight rows each, less one tile where that leaves nine.
    return rows < 8 ? (1, rows) : (8, (rows &- (rows & 7 == 1 ? 8 : 0)) / 8)
  }
  // Equal shares of at most six: a low tile takes nearly as long as a high one.
  let tiles = (rows &+ 5) / 6
  let share = (rows &+ tiles &- 1) / tiles
  return share < 4 ? (1, rows) : (share, rows &- (share &- 1) &* tiles)
}

/// How many tiles `rows` rows take.
func outerTileCount(_ rows: Int) -> Int {
  var (left, tiles) = (rows, 0)
  while left > 0 {
    let next = outerTiles(left)
    tiles += next.count
    left -= next.count * next.height
  }
  return tiles
}

@inline(__always)
private func outerTiles(_ tiles: Int, height: Int, vectors: Int, _ tile: OuterTile) {
  switch (height, vectors) {
  case (8, 3): outer8x3(tile, tiles)
  case (8, 2): outer8x2(tile, tiles)
  case (8, _): outer8x1(tile, tiles)
  case (6, _): outer6x1(tile, tiles)
  case (5, _): outer5x1(tile, tiles)
  case (4, _): outer4x1(tile, tiles)
  case (9, 3): outer9x3(tile, tiles)
  case (9, 2): outer9x2(tile, tiles)
  case (9, _): outer9x1(tile, tiles)
  case (_, 3): outer1x3(tile, tiles)
  case (_, 2): outer1x2(tile, tiles)
  default: outer1x1(tile, tiles)
  }
}

/// A run of neighbouring columns that one tile covers.
struct Panel {
  /// The first column.
  let column: Int
  /// How many vectors of 16 columns, and how many of these columns exist.
  let vectors: Int
  let width: Int

  /// The height of the gather tiles that cover it.
  var tileHeight: Int { vectors == 4 || !hasWideRegisters ? 6 : 9 }

  /// Cuts `count` columns into panels of at most `limit` (3 or 4) vectors, with few narrow ones; of
  /// one vector where registers are narrow.
  static func cut(_ count: Int, limit: Int) -> [Panel] {
    var left = (count + 15) / 16
    var panels: [Panel] = []
    var column = 0
    while left > 0 {
      let vectors: Int
      if !hasWideRegisters {
        vectors = 1
      } else if left <= limit {
        vectors = left
      } else if limit == 4 {
        vectors = left % 3 == 0 || left == 5 ? 3 : 4
      } else {
        vectors = left == 4 ? 2 : 3
      }
      panels.append(
        Panel(column: column, vectors: vectors, width: min(count - column, vectors * 16)))
      column += vectors * 16
      left -= vectors
    }
    return panels
  }
}
