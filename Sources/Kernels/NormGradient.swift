/// The gradient of a norm's input [rows, channels], from that of its output and the totals of the joined
/// sums. Like a `NormalizedMap` it is computed by who reads it, or written where it must be stored.
public struct NormGradient {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let channels: Int
  let norm: NormParameters
  let activation: Activation
  let totals: UnsafePointer<Float>

  /// Writes all rows to `target`, which may be what they are computed from.
  public func write(rows: Int, to target: UnsafeMutablePointer<Float>, pool: ThreadPool) {
    let blocks = RowBlocks(rows: rows, channels: channels)
    pool.run(blocks.count) { block in
      forEachRun(blocks.start(block), blocks.end(block), channels: channels) { row, count in
        write(
          first: row, count: count, channels: 0..<channels, to: target + row &* channels,
          step: channels)
      }
    }
  }

  /// Writes some channels of the rows first ..< first + count to `target`, rows `step` floats apart.
  func write(
    first: Int, count: Int, channels range: Range<Int>, to target: UnsafeMutablePointer<Float>,
    step: Int
  ) {
    let offset = first &* channels
    func run<F: PointwiseFunction>(_: F.Type) {
      NormGradientRows(
        first: NormInputGradient<F>(
          x: x + offset, outputGradient: outputGradient + offset, channels: channels, norm: norm,
          totals: totals),
        count: count, target: target - range.lowerBound, step: step
      ).cover(from: range.lowerBound, to: range.upperBound)
    }
    switch activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
    }
  }
}

private struct NormGradientRows<F: PointwiseFunction>: ChannelGroup {
  let first: NormInputGradient<F>
  let count: Int
  let target: UnsafeMutablePointer<Float>
  let step: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let constants = first.constants(L.self, at: c)
    var (x, gradient, target) = (first.x + c, first.outputGradient + c, target + c)
    for _ in 0..<count {
      L.fetch(x + Ahead.floats)
      L.fetch(gradient + Ahead.floats)
      constants.value(L.load(x), L.load(gradient)).store(target)
      x += first.channels
      gradient += first.channels
      target += step
    }
  }
}

/// dx = gamma / deviation * (dz - mean(dz) - x̂ mean(dz x̂)) for the channels of a pixel.
struct NormInputGradient<F: PointwiseFunction> {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  /// The distance of the two totals.
  let channels: Int
  let norm: NormParameters
  let totals: UnsafePointer<Float>

  /// What is the same for all pixels.
  @inline(__always)
  func constants<L: Lanes>(_: L.Type, at c: Int) -> Constants<L> {
    Constants(
      mean: L.load(norm.mean + c), factor: L.load(norm.factor + c), beta: L.load(norm.beta + c),
      total: L.load(totals + c), product: L.load(totals + channels + c))
  }

  struct Constants<L: Lanes> {
    let mean: L
    let factor: L
    let beta: L
    let total: L
    let product: L

    @inline(__always)
    func value(_ x: L, _ outputGradient: L) -> L {
      let a = x - mean
      let dz = outputGradient * F.derivative(L.fma(a, factor, beta))
      let centered = dz - total - a * product
      return centered * factor
    }
  }
}
