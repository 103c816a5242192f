/// The gradients of `batchNormForward` without its residual (whose gradient is outputGradient).
///
/// The activation's argument is computed again from x. `gammaGradient` and `betaGradient`
/// [channels] are added to; `inputGradient` is written and may alias `outputGradient` or `x`. The
/// statistics are taken as functions of x, as they are in training.
public func batchNormBackward(
  _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, rows: Int, channels: Int,
  mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>,
  gamma: UnsafePointer<Float>, beta: UnsafePointer<Float>, activation: Activation,
  inputGradient: UnsafeMutablePointer<Float>, gammaGradient: UnsafeMutablePointer<Float>,
  betaGradient: UnsafeMutablePointer<Float>, scratch: NormScratch, pool: ThreadPool
) {
  precondition(rows > 0 && channels > 0 && channels <= scratch.channels)
  func run<F: PointwiseFunction>(_: F.Type) {
    let blocks = RowBlocks(rows: rows, channels: channels)
    let partial = scratch.base
    let statistics = Statistics(
      mean: mean, inverseDeviation: inverseDeviation, gamma: gamma, beta: beta)
    pool.run(blocks.count) { block in
      let sums = partial + block * 2 * channels
      let first = blocks.start(block)
      forEachRun(first, blocks.end(block), channels: channels) { row, count in
        GradientSums<F>(
          x: x + row &* channels, outputGradient: outputGradient + row &* channels, rows: count,
          channels: channels, isFirst: row == first, statistics: statistics, gradients: sums,
          products: sums + channels
        ).cover(channels)
      }
    }
    let totals = partial + RowBlocks.limit * 2 * channels
    JoinedGradients(
      partial: partial, blocks: blocks, channels: channels, inverseDeviation: inverseDeviation,
      totals: totals, gammaGradient: gammaGradient, betaGradient: betaGradient
    ).cover(channels)
    blocks.forEachRow(channels: channels, pool) { offset in
      GradientRow<F>(
        x: x + offset, outputGradient: outputGradient + offset, channels: channels,
        statistics: statistics, totals: totals, inputGradient: inputGradient + offset
      ).cover(channels)
    }
  }
  switch activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

private struct Statistics {
  let mean: UnsafePointer<Float>
  let inverseDeviation: UnsafePointer<Float>
  let gamma: UnsafePointer<Float>
  let beta: UnsafePointer<Float>
}

/// Adds Σ dz and Σ dz (x - mean) over a run of rows, where dz = dy * activation'(z).
private struct GradientSums<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let rows: Int
  let channels: Int
  let isFirst: Bool
  let statistics: Statistics
  let gradients: UnsafeMutablePointer<Float>
  let products: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let mean = L.load(statistics.mean + c)
    let scale = L.load(statistics.inverseDeviation + c) * L.load(statistics.gamma + c)
    let shift = L.load(statistics.beta + c)
    var sums = (isFirst ? L(splat: 0) : L.load(gradients + c), L(splat: 0))
    var products = (isFirst ? L(splat: 0) : L.load(self.products + c), L(splat: 0))
    var source = x + c
    var gradient = outputGradient + c
    var row = 0
    while row &+ 2 <= rows {
      let a = L.load(source) - mean
      let b = L.load(source + channels) - mean
      let da = L.load(gradient) * F.derivative(L.fma(a, scale, shift))
      let db = L.load(gradient + channels) * F.derivative(L.fma(b, scale, shift))
      sums.0 = sums.0 + da
      sums.1 = sums.1 + db
      products.0 = L.fma(da, a, products.0)
      products.1 = L.fma(db, b, products.1)
      source += 2 &* channels
      gradient += 2 &* channels
      row &+= 2
    }
    if row < rows {
      let a = L.load(source) - mean
      let da = L.load(gradient) * F.derivative(L.fma(a, scale, shift))
      sums.0 = sums.0 + da
      products.0 = L.fma(da, a, products.0)
    }
    (sums.0 + sums.1).store(gradients + c)
    (products.0 + products.1).store(self.products + c)
  }
}

/// Adds the blocks' sums in order; leaves mean(dz) and mean(dz x̂) / deviation in `totals`.
private struct JoinedGradients: ChannelGroup {
  let partial: UnsafeMutablePointer<Float>
  let blocks: RowBlocks
  let channels: Int
  let inverseDeviation: UnsafePointer<Float>
  let totals: UnsafeMutablePointer<Float>
  let gammaGradient: UnsafeMutablePointer<Float>
  let betaGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L(splat: 0)
    var product = L(splat: 0)
    var block = 0
    while block < blocks.count {
      let base = partial + block &* 2 &* channels + c
      sum = sum + L.load(base)
      product = product + L.load(base + channels)
      block &+= 1
    }
    let inverse = L.load(inverseDeviation + c)
    let normalized = product * inverse
    (L.load(betaGradient + c) + sum).store(betaGradient + c)
    (L.load(gammaGradient + c) + normalized).store(gammaGradient + c)
    let scale = L(splat: 1 / Float(blocks.rows))
    (sum * scale).store(totals + c)
    (normalized * inverse * scale).store(totals + channels + c)
  }
}

/// dx = gamma / deviation * (dz - mean(dz) - x̂ mean(dz x̂)) for one row.
private struct GradientRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let channels: Int
  let statistics: Statistics
  let totals: UnsafeMutablePointer<Float>
  let inputGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let scale = L.load(statistics.inverseDeviation + c) * L.load(statistics.gamma + c)
    let a = L.load(x + c) - L.load(statistics.mean + c)
    let z = L.fma(a, scale, L.load(statistics.beta + c))
    let dz = L.load(outputGradient + c) * F.derivative(z)
    let centered = dz - L.load(totals + c) - a * L.load(totals + channels + c)
    (centered * scale).store(inputGradient + c)
  }
}
