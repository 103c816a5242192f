// A 3x3 convolution of stride 2 by tiles. Along an axis every output reads two neighbours of every
// second number and one of the numbers between: the input falls into two phases, of two taps and of
// one, and a map into four. Each is a convolution of stride 1 by F(4x4, 2x2) with five points along an
// axis, and one sum for each pair of points serves all four. Where a filter has one tap its value at one
// of the points is zero, so that sixteen outputs take 81 products instead of 144.
//
// The points are 0, 1, -1/2, -2 and infinity: of simple ones those with the smallest rounding error, about
// twice that of the plain sum.

/// The geometry of such a tile.
enum PhaseTiles {
  /// Points along a side, and pairs of points.
  static let points = 5
  static let products = 25

  /// A phase of a map: whether its rows, and its columns, are those of one tap.
  struct Phase {
    let index: Int
    let isSingleRow: Bool
    let isSingleColumn: Bool

    // Computed, so that a compiler knows them. In this order those that a pair of points has follow
    // each other.
    @inline(__always) static var mixed0: Self {
      Self(index: 0, isSingleRow: false, isSingleColumn: true)
    }
    @inline(__always) static var double: Self {
      Self(index: 1, isSingleRow: false, isSingleColumn: false)
    }
    @inline(__always) static var mixed1: Self {
      Self(index: 2, isSingleRow: true, isSingleColumn: false)
    }
    @inline(__always) static var single: Self {
      Self(index: 3, isSingleRow: true, isSingleColumn: true)
    }
  }

  /// Calls `body` with each of the four phases.
  @inline(__always)
  static func forEachPhase(_ body: (Phase) -> Void) {
    body(.mixed0)
    body(.double)
    body(.mixed1)
    body(.single)
  }

  /// The phases whose filters have a value at a pair of points: filters of one tap have none at the
  /// `missing` point.
  @inline(__always)
  static func phases(_ product: Int, missing: Int) -> Range<Int> {
    let (row, column) = product.quotientAndRemainder(dividingBy: points)
    return (column == missing ? 1 : 0)..<(row == missing ? 2 : column == missing ? 3 : 4)
  }

  /// How many phases the pairs of points before one have.
  static func phasesBefore(_ product: Int) -> Int {
    (0..<product).reduce(0) { $0 + TileForm.phased.phases($1).count }
  }

  /// The values of all phases' filters: 81 of those of one tap.
  static let filterValues = 81

  /// Whether tiles compute this convolution in less time. As for tiles of stride 1, it depends on the
  /// size of an image, never on how many there are.
  static func suits(_ s: ConvolutionShape) -> Bool {
    func tiled(_ side: Int) -> Int { (side + 3) / 4 * 4 }
    let isHalf =
      s.kernel == 3 && s.stride == 2 && s.padTop == s.padLeft && s.padTop <= 1
      && s.inputHeight == 2 * s.outputHeight && s.inputWidth == 2 * s.outputWidth
    return isHalf && s.inputChannels % 16 == 0 && s.inputChannels > 0 && s.outputChannels >= 32
      && tiled(s.outputHeight) * tiled(s.outputWidth) * 9 <= s.outputHeight * s.outputWidth * 10
  }
}

/// The values of an input: Bᵀ d. All but the last point need the first four numbers.
@inline(__always)
func phaseInput<L: Lanes>(_ d: InlineArray<5, L>) -> InlineArray<5, L> {
  let factor = L(splat: 1.5)
  return [
    L.fma(factor, d[1] - d[2], d[0] - d[3]),
    L.fma(L(splat: 2.5), d[2], d[1] + d[3]),
    L.fma(L(splat: -2), d[1], d[2] + d[3]),
    L.fma(L(splat: -0.5), d[1] + d[2], d[3]),
    L.fma(factor, d[3] - d[2], d[4] - d[1]),
  ]
}

/// The outputs from the products: Aᵀ m.
@inline(__always)
func phaseOutput<L: Lanes>(_ m: InlineArray<5, L>) -> InlineArray<4, L> {
  [
    m[0] + m[1] + (m[2] + m[3]),
    L.fma(L(splat: -0.5), m[2], L.fma(L(splat: -2), m[3], m[1])),
    L.fma(L(splat: 0.25), m[2], L.fma(L(splat: 4), m[3], m[1])),
    L.fma(L(splat: -0.125), m[2], L.fma(L(splat: -8), m[3], m[1] + m[4])),
  ]
}

/// The gradients of the products from those of the outputs: A y.
@inline(__always)
func phaseOutputTransposed<L: Lanes>(_ y: InlineArray<4, L>) -> InlineArray<5, L> {
  [
    y[0], y[0] + y[1] + (y[2] + y[3]),
    L.fma(L(splat: -0.5), L.fma(L(splat: 0.25), y[3], y[1]), L.fma(L(splat: 0.25), y[2], y[0])),
    L.fma(L(splat: -2), L.fma(L(splat: 4), y[3], y[1]), L.fma(L(splat: 4), y[2], y[0])),
    y[3],
  ]
}

private let ninth: Float = 1.0 / 9

/// The values of a filter of two taps: G g.
@inline(__always)
func phaseFilter<L: Lanes>(_ g: InlineArray<2, L>) -> InlineArray<5, L> {
  [
    g[0], L(splat: 2 * ninth) * (g[0] + g[1]),
    L(splat: 8 * ninth) * L.fma(L(splat: -0.5), g[1], g[0]),
    L(splat: -ninth) * L.fma(L(splat: -2), g[1], g[0]), g[1],
  ]
}

/// The gradient of a filter from that of its values: Gᵀ u.
@inline(__always)
func phaseFilterTransposed<L: Lanes>(_ u: InlineArray<5, L>) -> InlineArray<2, L> {
  let second = L(splat: 2 * ninth)
  return [
    L.fma(L(splat: 8 * ninth), u[2], L.fma(second, u[1], L.fma(L(splat: -ninth), u[3], u[0]))),
    L.fma(L(splat: -4 * ninth), u[2], L.fma(second, u[1] + u[3], u[4])),
  ]
}

/// The values of a tile's input in all four phases.
struct PhaseInputs: ChannelGroup {
  /// The rows that the tile reaches, where its first column is (it may be before the row), and how many
  /// pixels a row has.
  let rows: InlineArray<9, RowPointer>
  let first: Int
  let width: Int
  let channels: Int
  /// Those of the block, [product] of `TileLines` of the four phases' channels, products `step` floats
  /// apart.
  let values: UnsafeMutablePointer<Float>
  let lines: TileLines
  let tile: Int
  let step: Int

  /// Writes the values of a block's inputs; the convolution reads `padding` rows and columns before the
  /// image.
  @inline(__always)
  static func write(
    _ plan: WinogradPlan, _ block: Int, padding: Int, source: UnsafePointer<Float>,
    channels: Int, zeros: UnsafePointer<Float>, to values: UnsafeMutablePointer<Float>, step: Int
  ) {
    let lines = TileLines(tiles: plan.tiles(block))
    plan.forEachRow(block) { row in
      let rows: InlineArray<9, RowPointer> = plan.inputRows(
        row, padding: padding, source: source, channels: channels, zeros: zeros)
      for column in 0..<plan.columns {
        PhaseInputs(
          rows: rows, first: 2 &* column &* Winograd.outputs &- padding, width: 2 &* plan.pitch,
          channels: channels, values: values, lines: lines, tile: row.tile &+ column, step: step
        ).coverRegisters(from: 0, to: channels)
      }
    }
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    PhaseTiles.forEachPhase { transform(L.self, c, $0) }
  }

  @inline(__always)
  private func transform<L: Lanes>(_: L.Type, _ c: Int, _ phase: PhaseTiles.Phase) {
    let zero = L(splat: 0)
    let (firstRow, rowCount) = phase.isSingleRow ? (1, 4) : (0, 5)
    let (firstColumn, columnCount) = phase.isSingleColumn ? (1, 4) : (0, 5)
    var columns = InlineArray<5, InlineArray<5, L>>(
      repeating: InlineArray<5, L>(repeating: zero))
    for index in 0..<columnCount {
      let x = first &+ firstColumn &+ 2 &* index
      guard x >= 0, x < width else { continue }
      var pixels = InlineArray<5, L>(repeating: zero)
      for row in 0..<rowCount {
        pixels[row] = L.load(rows[firstRow &+ 2 &* row] + (x &* channels &+ c))
      }
      columns[index] = phaseInput(pixels)
    }
    let place = values + lines.place(tile: tile, channel: phase.index &* channels &+ c)
    for row in 0..<rowCount {
      var line = InlineArray<5, L>(repeating: zero)
      for index in 0..<columnCount { line[index] = columns[index][row] }
      let results = phaseInput(line)
      for index in 0..<columnCount {
        results[index].store(place + (row &* PhaseTiles.points &+ index) &* step)
      }
    }
  }
}
