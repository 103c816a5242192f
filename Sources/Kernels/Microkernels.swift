// The inner loops of the dense convolutions. The generic bodies and the functions that are compiled
// from them stay in one file: apart, they would not be specialised in every build mode.

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
  /// Whether the sums are added to what is there.
  var accumulate: Bool
}

/// `height` rows by `vectors` * 16 columns, held in registers over all taps.
@inline(__always)
private func gather<let height: Int, let vectors: Int>(
  _: InlineArray<height, Void>.Type, _: InlineArray<vectors, Void>.Type, _ tile: GatherTile
) {
  var sums = InlineArray<height, InlineArray<vectors, Vector>>(
    repeating: InlineArray<vectors, Vector>(repeating: .zero))
  var weights = tile.weights
  var table = tile.table
  let step = tile.step
  for _ in 0..<tile.taps {
    let rows = InlineArray<height, RowPointer> { table[$0] }
    table += tile.tableStride
    for k in 0..<tile.depth {
      let b = InlineArray<vectors, Vector> {
        weights.loadUnaligned(fromByteOffset: $0 &* 64, as: Vector.self)
      }
      for i in 0..<height {
        let a = Vector(repeating: rows[i][k])
        for j in 0..<vectors { sums[i][j].addProduct(a, b[j]) }
      }
      weights += step
    }
  }
  if tile.width == vectors &* 16 && !tile.accumulate {
    for i in 0..<height {
      let target = tile.targets[i] + tile.column
      for j in 0..<vectors { sums[i][j].store(target + j &* 16) }
    }
  } else {
    for i in 0..<height {
      let target = tile.targets[i] + tile.column
      for j in 0..<vectors {
        storePart(sums[i][j], target + j &* 16, tile.width &- j &* 16, tile.accumulate)
      }
    }
  }
}

/// Stores the first `width` lanes (all of them from 16 on, none below 1).
@inline(__always)
private func storePart(
  _ value: Vector, _ target: TargetPointer, _ width: Int, _ accumulate: Bool
) {
  if width >= 16 {
    (accumulate ? Vector.load(target) + value : value).store(target)
    return
  }
  var lane = 0
  if width >= 8 {
    let low = value.lowHalf
    (accumulate ? SIMD8<Float>.load(target) + low : low).store(target)
    lane = 8
  }
  while lane < width {
    target[lane] = accumulate ? target[lane] + value[lane] : value[lane]
    lane &+= 1
  }
}

@inline(never) private func gather6x4(_ tile: GatherTile) {
  gather(InlineArray<6, Void>.self, InlineArray<4, Void>.self, tile)
}
@inline(never) private func gather3x4(_ tile: GatherTile) {
  gather(InlineArray<3, Void>.self, InlineArray<4, Void>.self, tile)
}
@inline(never) private func gather9x3(_ tile: GatherTile) {
  gather(InlineArray<9, Void>.self, InlineArray<3, Void>.self, tile)
}
@inline(never) private func gather3x3(_ tile: GatherTile) {
  gather(InlineArray<3, Void>.self, InlineArray<3, Void>.self, tile)
}
@inline(never) private func gather12x2(_ tile: GatherTile) {
  gather(InlineArray<12, Void>.self, InlineArray<2, Void>.self, tile)
}
@inline(never) private func gather4x2(_ tile: GatherTile) {
  gather(InlineArray<4, Void>.self, InlineArray<2, Void>.self, tile)
}
@inline(never) private func gather12x1(_ tile: GatherTile) {
  gather(InlineArray<12, Void>.self, InlineArray<1, Void>.self, tile)
}
@inline(never) private func gather4x1(_ tile: GatherTile) {
  gather(InlineArray<4, Void>.self, InlineArray<1, Void>.self, tile)
}

/// The most rows that a gather tile may reach beyond the rows asked for.
let gatherOverhang = 3

/// Computes `rows` rows of a panel of `vectors` * 16 columns. The table and the targets must hold
/// `gatherOverhang` more valid entries.
func gatherRows(_ rows: Int, vectors: Int, _ first: GatherTile) {
  var tile = first
  var row = 0
  @inline(__always) func advance(_ height: Int) {
    row &+= height
    tile.table += height
    tile.targets += height
  }
  switch vectors {
  case 4:
    while row &+ 6 <= rows {
      gather6x4(tile)
      advance(6)
    }
    while row < rows {
      gather3x4(tile)
      advance(3)
    }
  case 3:
    while row &+ 9 <= rows {
      gather9x3(tile)
      advance(9)
    }
    while row < rows {
      gather3x3(tile)
      advance(3)
    }
  case 2:
    while row &+ 12 <= rows {
      gather12x2(tile)
      advance(12)
    }
    while row < rows {
      gather4x2(tile)
      advance(4)
    }
  default:
    while row &+ 12 <= rows {
      gather12x1(tile)
      advance(12)
    }
    while row < rows {
      gather4x1(tile)
      advance(4)
    }
  }
}

/// What an outer-product tile is to compute: Σ over pixels of a column times a row.
struct OuterTile {
  /// Pixels to sum over.
  var pixels: Int
  /// The address of each pixel's numbers for the tile's rows, less `offset`.
  var table: UnsafePointer<RowPointer>
  var offset: Int
  /// The numbers for the tile's columns, packed: vectors * 16 per pixel.
  var columns: UnsafePointer<Float>
  /// The first sum; rows are `stride` apart. The first `width` columns exist.
  var target: TargetPointer
  var stride: Int
  var width: Int
  /// Whether the sums are added to what is there.
  var accumulate: Bool
}

@inline(__always)
private func outer<let height: Int, let vectors: Int>(
  _: InlineArray<height, Void>.Type, _: InlineArray<vectors, Void>.Type, _ tile: OuterTile
) {
  var sums = InlineArray<height, InlineArray<vectors, Vector>>(
    repeating: InlineArray<vectors, Vector>(repeating: .zero))
  var columns = UnsafeRawPointer(tile.columns)
  let table = tile.table
  let offset = tile.offset
  for pixel in 0..<tile.pixels {
    let row = table[pixel] + offset
    let b = InlineArray<vectors, Vector> {
      columns.loadUnaligned(fromByteOffset: $0 &* 64, as: Vector.self)
    }
    for i in 0..<height {
      let a = Vector(repeating: row[i])
      for j in 0..<vectors { sums[i][j].addProduct(a, b[j]) }
    }
    columns += vectors &* 64
  }
  for i in 0..<height {
    let target = tile.target + i &* tile.stride
    for j in 0..<vectors {
      storePart(sums[i][j], target + j &* 16, tile.width &- j &* 16, tile.accumulate)
    }
  }
}

@inline(never) private func outer8x3(_ tile: OuterTile) {
  outer(InlineArray<8, Void>.self, InlineArray<3, Void>.self, tile)
}
@inline(never) private func outer9x3(_ tile: OuterTile) {
  outer(InlineArray<9, Void>.self, InlineArray<3, Void>.self, tile)
}
@inline(never) private func outer1x3(_ tile: OuterTile) {
  outer(InlineArray<1, Void>.self, InlineArray<3, Void>.self, tile)
}
@inline(never) private func outer8x2(_ tile: OuterTile) {
  outer(InlineArray<8, Void>.self, InlineArray<2, Void>.self, tile)
}
@inline(never) private func outer9x2(_ tile: OuterTile) {
  outer(InlineArray<9, Void>.self, InlineArray<2, Void>.self, tile)
}
@inline(never) private func outer1x2(_ tile: OuterTile) {
  outer(InlineArray<1, Void>.self, InlineArray<2, Void>.self, tile)
}
@inline(never) private func outer16x1(_ tile: OuterTile) {
  outer(InlineArray<16, Void>.self, InlineArray<1, Void>.self, tile)
}
@inline(never) private func outer8x1(_ tile: OuterTile) {
  outer(InlineArray<8, Void>.self, InlineArray<1, Void>.self, tile)
}
@inline(never) private func outer9x1(_ tile: OuterTile) {
  outer(InlineArray<9, Void>.self, InlineArray<1, Void>.self, tile)
}
@inline(never) private func outer1x1(_ tile: OuterTile) {
  outer(InlineArray<1, Void>.self, InlineArray<1, Void>.self, tile)
}

/// Computes `rows` rows of a panel of `vectors` * 16 columns.
func outerRows(_ rows: Int, vectors: Int, _ first: OuterTile) {
  var tile = first
  var left = rows
  while left > 0 {
    let height = left == 9 ? 9 : left >= 16 && vectors == 1 ? 16 : left >= 8 ? 8 : 1
    switch (height, vectors) {
    case (8, 3): outer8x3(tile)
    case (8, 2): outer8x2(tile)
    case (8, _): outer8x1(tile)
    case (16, _): outer16x1(tile)
    case (9, 3): outer9x3(tile)
    case (9, 2): outer9x2(tile)
    case (9, _): outer9x1(tile)
    case (_, 3): outer1x3(tile)
    case (_, 2): outer1x2(tile)
    default: outer1x1(tile)
    }
    tile.offset += height
    tile.target += height &* tile.stride
    left &-= height
  }
}

/// A run of neighbouring columns that one tile covers.
struct Panel {
  /// The first column.
  let column: Int
  /// How many vectors of 16 columns, and how many of these columns exist.
  let vectors: Int
  let width: Int

  /// Cuts `count` columns into panels of at most `limit` (3 or 4) vectors, with few narrow ones.
  static func cut(_ count: Int, limit: Int) -> [Panel] {
    var left = (count + 15) / 16
    var panels: [Panel] = []
    var column = 0
    while left > 0 {
      let vectors: Int
      if left <= limit {
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
