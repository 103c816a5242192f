/// Sums from which the moments of each channel follow, kept apart for fixed parts of the rows, so
/// that the moments never depend on who computed which part.
///
/// Each part sums around a pivot of its own, the mean of its first rows: a large mean costs no
/// accuracy (Chan, Golub and LeVeque 1983, "shifted data").
struct MomentSums {
  /// Per part: the pivots, Σ (x - pivot), Σ (x - pivot)², each [channels].
  let base: UnsafeMutablePointer<Float>
  let channels: Int

  /// Floats for a number of parts.
  static func count(parts: Int, channels: Int) -> Int { 3 * parts * channels }

  /// Adds some rows of x, `pitch` floats apart, to a part's sums for the columns from ..< to.
  /// With `isFirst` the part begins with them.
  func add(
    part: Int, isFirst: Bool, x: UnsafePointer<Float>, rows: Int, pitch: Int, from start: Int,
    to end: Int
  ) {
    PivotSums(
      x: x, rows: rows, pitch: pitch, isFirst: isFirst, sums: base + 3 &* part &* channels,
      channels: channels
    ).cover(from: start, to: end)
  }

  /// Sets a part's sums for at most sixteen columns from ..< to, summed elsewhere: [3][16].
  func set(part: Int, from start: Int, to end: Int, _ sums: UnsafePointer<Float>) {
    for index in 0..<3 {
      (base + ((3 &* part &+ index) &* channels &+ start))
        .update(from: sums + index &* 16, count: end &- start)
    }
  }

  /// The mean and the biased variance of all rows; the part p has `rowsOfPart(p)` of them.
  func join(
    parts: Int, mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>,
    rowsOfPart: (Int) -> Int
  ) {
    var rows = 0
    for part in 0..<parts {
      let count = rowsOfPart(part)
      PartMoments(sums: base + 3 &* part &* channels, channels: channels, rows: count)
        .cover(channels)
      rows += count
    }
    // Means as differences from the first part's pivot, weighted by their rows.
    mean.update(repeating: 0, count: channels)
    variance.update(repeating: 0, count: channels)
    for part in 0..<parts {
      MeanSum(
        sums: base + 3 &* part &* channels, channels: channels, first: base,
        weight: Float(rowsOfPart(part)),
        total: mean
      ).cover(channels)
    }
    for part in 0..<parts {
      SquareSum(
        sums: base + 3 &* part &* channels, channels: channels, first: base,
        weight: Float(rowsOfPart(part)), scale: 1 / Float(rows), meanTotal: mean, total: variance
      ).cover(channels)
    }
    FinalMoments(first: base, scale: 1 / Float(rows), mean: mean, variance: variance)
      .cover(channels)
  }
}

private struct PivotSums: ChannelGroup {
  let x: UnsafePointer<Float>
  let rows: Int
  let pitch: Int
  let isFirst: Bool
  let sums: UnsafeMutablePointer<Float>
  let channels: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let pivot: L
    if isFirst {
      var total = (L(splat: 0), L(splat: 0))
      var row = x + c
      for index in 0..<rows {
        if index & 1 == 0 {
          total.0 = total.0 + L.load(row)
        } else {
          total.1 = total.1 + L.load(row)
        }
        row += pitch
      }
      pivot = (total.0 + total.1) * L(splat: 1 / Float(rows))
      pivot.store(sums + c)
    } else {
      pivot = L.load(sums + c)
    }
    var first = (L(splat: 0), L(splat: 0))
    var second = (L(splat: 0), L(splat: 0))
    var row = x + c
    var index = 0
    while index &+ 2 <= rows {
      let a = L.load(row) - pivot
      let b = L.load(row + pitch) - pivot
      first.0 = first.0 + a
      first.1 = first.1 + b
      second.0 = L.fma(a, a, second.0)
      second.1 = L.fma(b, b, second.1)
      row += 2 &* pitch
      index &+= 2
    }
    if index < rows {
      let a = L.load(row) - pivot
      first.0 = first.0 + a
      second.0 = L.fma(a, a, second.0)
    }
    let linear = sums + channels + c
    let squares = linear + channels
    var (sum, square) = (first.0 + first.1, second.0 + second.1)
    if !isFirst {
      sum = sum + L.load(linear)
      square = square + L.load(squares)
    }
    sum.store(linear)
    square.store(squares)
  }
}

/// Turns a part's sums into its mean's distance from its pivot and its squares around that mean.
private struct PartMoments: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let channels: Int
  let rows: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let sum = L.load(sums + channels + c)
    let distance = sum * L(splat: 1 / Float(rows))
    distance.store(sums + channels + c)
    (L.load(sums + 2 &* channels + c) - sum * distance).store(sums + 2 &* channels + c)
  }
}

/// The mean of a part, less the pivot of the first one: a small number, whatever the mean.
@inline(__always)
private func offset<L: Lanes>(
  _ sums: UnsafeMutablePointer<Float>, _ first: UnsafeMutablePointer<Float>, channels: Int,
  at c: Int
) -> L { (L.load(sums + c) - L.load(first + c)) + L.load(sums + channels + c) }

private struct MeanSum: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let channels: Int
  let first: UnsafeMutablePointer<Float>
  let weight: Float
  let total: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let offset: L = offset(sums, first, channels: channels, at: c)
    L.fma(offset, L(splat: weight), L.load(total + c)).store(total + c)
  }
}

private struct SquareSum: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let channels: Int
  let first: UnsafeMutablePointer<Float>
  let weight: Float
  let scale: Float
  let meanTotal: UnsafeMutablePointer<Float>
  let total: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let offset: L = offset(sums, first, channels: channels, at: c)
    let distance = offset - L.load(meanTotal + c) * L(splat: scale)
    let squares = L.load(total + c) + L.load(sums + 2 &* channels + c)
    L.fma(distance * distance, L(splat: weight), squares).store(total + c)
  }
}

private struct FinalMoments: ChannelGroup {
  let first: UnsafeMutablePointer<Float>
  let scale: Float
  let mean: UnsafeMutablePointer<Float>
  let variance: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fma(L.load(mean + c), L(splat: scale), L.load(first + c)).store(mean + c)
    // A sum of squares less another may fall a rounding below zero.
    (L.load(variance + c).limited(0, .greatestFiniteMagnitude) * L(splat: scale))
      .store(variance + c)
  }
}
