// Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, arXiv:1509.09308): sixteen outputs of a
// 3x3 convolution from 36 products instead of 144. A filter, its input and its sums are polynomials
// that are multiplied by their values at six points.
//
// The points are 0, ±2/3, ±3/2 and infinity. With the usual 0, ±1, ±2 and infinity the rounding
// error is four times that of the plain sum; with these, whose powers stay near one, less than twice.
// Since 2/3 * 3/2 = 1, some coefficients are one.

/// The geometry of a tile.
enum Winograd {
  /// Outputs along a side, inputs along a side, and products of a tile.
  static let outputs = 4
  static let inputs = 6
  static let products = 36

  /// Floats from product to product of a table with `count` for each: an odd number of cache lines,
  /// so that the products of a tile do not fall on the same places of the cache.
  static func step(_ count: Int) -> Int { ((count + 15) / 16 | 1) * 16 }

  /// How many floats ahead of those in work the caches are told what comes: two lines.
  static let ahead = 32
}

private let a: Float = 2.0 / 3
private let b: Float = 1.5
private let a2: Float = 4.0 / 9
private let b2: Float = 2.25
private let a3: Float = 8.0 / 27
private let b3: Float = 3.375
/// The squares' sum.
private let s: Float = 97.0 / 36
/// 1 / (2 a² (a² - b²)) and 1 / (2 b² (b² - a²)).
private let na: Float = -81.0 / 130
private let nb: Float = 8.0 / 65

/// The values of an input: Bᵀ d.
@inline(__always)
func winogradInput<L: Lanes>(_ d: InlineArray<6, L>) -> InlineArray<6, L> {
  let evenA = L.fma(L(splat: -b2), d[2], d[4])
  let oddA = L.fma(L(splat: -b2), d[1], d[3])
  let evenB = L.fma(L(splat: -a2), d[2], d[4])
  let oddB = L.fma(L(splat: -a2), d[1], d[3])
  return [
    L.fma(L(splat: -s), d[2], d[0] + d[4]),
    L.fma(L(splat: a), oddA, evenA), L.fma(L(splat: -a), oddA, evenA),
    L.fma(L(splat: b), oddB, evenB), L.fma(L(splat: -b), oddB, evenB),
    L.fma(L(splat: -s), d[3], d[1] + d[5]),
  ]
}

/// The outputs from the products: Aᵀ m.
@inline(__always)
func winogradOutput<L: Lanes>(_ m: InlineArray<6, L>) -> InlineArray<4, L> {
  let (evenA, oddA) = (m[1] + m[2], m[1] - m[2])
  let (evenB, oddB) = (m[3] + m[4], m[3] - m[4])
  return [
    m[0] + evenA + evenB,
    L.fma(L(splat: b), oddB, L(splat: a) * oddA),
    L.fma(L(splat: b2), evenB, L(splat: a2) * evenA),
    L.fma(L(splat: b3), oddB, L.fma(L(splat: a3), oddA, m[5])),
  ]
}

/// The gradients of the products from those of the outputs: A y.
@inline(__always)
func winogradOutputTransposed<L: Lanes>(_ y: InlineArray<4, L>) -> InlineArray<6, L> {
  let evenA = L.fma(L(splat: a2), y[2], y[0])
  let oddA = L.fma(L(splat: a3), y[3], L(splat: a) * y[1])
  let evenB = L.fma(L(splat: b2), y[2], y[0])
  let oddB = L.fma(L(splat: b3), y[3], L(splat: b) * y[1])
  return [y[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, y[3]]
}

/// The values of a filter: G g.
@inline(__always)
func winogradFilter<L: Lanes>(_ g: InlineArray<3, L>) -> InlineArray<6, L> {
  let evenA = L(splat: na) * L.fma(L(splat: a2), g[2], g[0])
  let oddA = L(splat: na * a) * g[1]
  let evenB = L(splat: nb) * L.fma(L(splat: b2), g[2], g[0])
  let oddB = L(splat: nb * b) * g[1]
  return [g[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, g[2]]
}

/// The gradient of a filter from that of its values: Gᵀ u.
@inline(__always)
func winogradFilterTransposed<L: Lanes>(_ u: InlineArray<6, L>) -> InlineArray<3, L> {
  let evenA = L(splat: na) * (u[1] + u[2])
  let evenB = L(splat: nb) * (u[3] + u[4])
  return [
    u[0] + evenA + evenB,
    L.fma(L(splat: na * a), u[1] - u[2], L(splat: nb * b) * (u[3] - u[4])),
    L.fma(L(splat: a2), evenA, L.fma(L(splat: b2), evenB, u[5])),
  ]
}

/// Applies a transform to the columns, then to the rows of a square.
/// - Parameters:
///   - load: the number at a row and a column.
///   - emit: takes the number at a row and a column of the result.
@inline(__always)
func transformSquare<let from: Int, let to: Int, L: Lanes>(
  _ transform: (InlineArray<from, L>) -> InlineArray<to, L>,
  _ load: (_ row: Int, _ column: Int) -> L, _ emit: (_ row: Int, _ column: Int, L) -> Void
) {
  // Plain loops: closures that make arrays were not always inlined.
  let zero = L(splat: 0)
  var columns = InlineArray<from, InlineArray<to, L>>(
    repeating: InlineArray<to, L>(repeating: zero))
  for column in 0..<from {
    var values = InlineArray<from, L>(repeating: zero)
    for row in 0..<from { values[row] = load(row, column) }
    columns[column] = transform(values)
  }
  for row in 0..<to {
    var values = InlineArray<from, L>(repeating: zero)
    for column in 0..<from { values[column] = columns[column][row] }
    let results = transform(values)
    for column in 0..<to { emit(row, column, results[column]) }
  }
}
