/// Adaptive gradient clipping (Brock et al., "High-performance large-scale image recognition without
/// normalization", ICML 2021): the gradient of each unit is at most a share of its weights long.
///
/// A unit is an output of a layer, with all weights that lead to it: a column of the tensor's memory
/// [rows, columns]. SAFETY: tasks write to columns of their own.
public final class UnitClipping {
  private struct Strip {
    let start: Int
    let rows: Int
    let columns: Int
    let first: Int
    let last: Int
  }

  private let strips: [Strip]

  /// Plans the clipping of tensors, each given by its first element in the flat buffer, its rows and
  /// its columns. A tensor that is one unit has one column.
  public init(_ tensors: [(offset: Int, rows: Int, columns: Int)]) {
    strips = tensors.flatMap { tensor in
      stride(from: 0, to: tensor.columns, by: Self.width).map { first in
        Strip(
          start: tensor.offset, rows: tensor.rows, columns: tensor.columns, first: first,
          last: min(tensor.columns, first + Self.width))
      }
    }
  }

  /// The columns of one task: long runs of memory, and room for their sums in the cache.
  private static let width = 64

  /// Shortens the gradient g of every unit to share max(|w|, 0.001), if it is longer.
  public func run(
    weights: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>, share: Float,
    pool: ThreadPool
  ) {
    let strips = self.strips
    pool.run(strips.count) { task in
      let strip = strips[task]
      if strip.columns == 1 {
        Self.clipVector(strip, weights: weights, gradients: gradients, share: share)
      } else {
        UnitStrip(
          weights: weights + strip.start, gradients: gradients + strip.start, rows: strip.rows,
          columns: strip.columns, share: share
        ).cover(from: strip.first, to: strip.last)
      }
    }
  }

  private static func clipVector(
    _ strip: Strip, weights: UnsafePointer<Float>, gradients: UnsafeMutablePointer<Float>,
    share: Float
  ) {
    // The gap behind the tensor holds zeros.
    let end = strip.start + (strip.rows + 15) / 16 * 16
    let squares = blockSums(strip.start, end) { i in
      (square(.load(weights + i)), square(.load(gradients + i)))
    }
    let longest = Double(share) * max(squares.x.squareRoot(), 1e-3)
    let length = squares.y.squareRoot()
    guard length > longest else { return }
    let factor = Float(longest / length)
    for i in strip.start..<(strip.start + strip.rows) { gradients[i] *= factor }
  }
}

private struct UnitStrip: ChannelGroup {
  let weights: UnsafePointer<Float>
  let gradients: UnsafeMutablePointer<Float>
  let rows: Int
  let columns: Int
  let share: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at column: Int) {
    let zero = L(splat: 0)
    var squares = (zero, zero)
    var row = 0
    while row < rows {
      // Short sums first, so that long columns lose no digits.
      let stop = min(rows, row &+ 64)
      var part = (zero, zero)
      while row < stop {
        let weight = L.load(weights + (row &* columns &+ column))
        let gradient = L.load(gradients + (row &* columns &+ column))
        part.0 = L.fma(weight, weight, part.0)
        part.1 = L.fma(gradient, gradient, part.1)
        row &+= 1
      }
      squares.0 = squares.0 + part.0
      squares.1 = squares.1 + part.1
    }
    let longest = L.larger(squares.0.root, L(splat: 1e-3)) * L(splat: share)
    // A unit that is short enough keeps its bits: its factor is exactly 1.
    let factor = L(splat: 1) / L.larger(squares.1.root / longest, L(splat: 1))
    for row in 0..<rows {
      let place = gradients + (row &* columns &+ column)
      (L.load(place) * factor).store(place)
    }
  }
}
