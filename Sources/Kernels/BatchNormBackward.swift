/// Σ dz and Σ dz (x - mean) of every channel, kept apart for fixed parts of the rows.
public struct GradientSums {
  private let scratch: NormScratch
  private var base: UnsafeMutablePointer<Float> { scratch.base }
  let channels: Int

  /// Sums in a scratch that holds `count(parts:channels:)` floats.
  public init(_ scratch: NormScratch, parts: Int, channels: Int) {
    precondition(
      scratch.count >= Self.count(parts: parts, channels: channels),
      "the scratch is too small for the sums")
    self.scratch = scratch
    self.channels = channels
  }

  /// The floats for a number of parts.
  public static func count(parts: Int, channels: Int) -> Int { 2 * parts * channels }

  /// Where the sums of a part are.
  @inline(__always)
  func part(_ index: Int) -> UnsafeMutablePointer<Float> { base + 2 &* index &* channels }

  /// Adds the parts up, adds the gradients of gamma and beta to what is there, and writes to `totals`
  /// [2][channels] the means that the gradient of the norm's input contains: zeros where the
  /// statistics are constants and do not depend on the input.
  public func join(
    parts: Int, rows: Int, norm: NormParameters, hasConstantStatistics: Bool = false,
    totals: UnsafeMutablePointer<Float>, gammaGradient: UnsafeMutablePointer<Float>,
    betaGradient: UnsafeMutablePointer<Float>
  ) {
    JoinedGradients(
      parts: base, count: parts, share: hasConstantStatistics ? 0 : 1 / Float(rows),
      channels: channels, norm: norm, totals: totals, gammaGradient: gammaGradient,
      betaGradient: betaGradient
    ).cover(channels)
  }
}

/// The gradients of `batchNormForward` without its residual (whose gradient is outputGradient).
///
/// The activation's argument is computed again from x. `gammaGradient` and `betaGradient`
/// [channels] are added to; `inputGradient` is written and may alias `outputGradient` or `x`. The
/// statistics are taken as functions of x, as they are in training, unless they are said to be
/// constant. `totals` [2][channels] is scratch, and so are the sums, of `batchNormParts` parts.
public func batchNormBackward(
  _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, rows: Int, channels: Int,
  norm: NormParameters, hasConstantStatistics: Bool = false, activation: Activation,
  inputGradient: UnsafeMutablePointer<Float>, gammaGradient: UnsafeMutablePointer<Float>,
  betaGradient: UnsafeMutablePointer<Float>,
  totals: UnsafeMutablePointer<Float>, scratch: NormScratch, pool: ThreadPool
) {
  batchNormGradient(
    x, outputGradient: outputGradient, rows: rows, channels: channels, norm: norm,
    hasConstantStatistics: hasConstantStatistics, activation: activation,
    gammaGradient: gammaGradient, betaGradient: betaGradient, totals: totals, scratch: scratch,
    pool: pool
  ).write(rows: rows, to: inputGradient, pool: pool)
}

/// The same as `batchNormBackward`, but that the gradient of the input is left to its reader, who finds
/// x, `outputGradient` and `totals` [2][channels] as they are now.
public func batchNormGradient(
  _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, rows: Int, channels: Int,
  norm: NormParameters, hasConstantStatistics: Bool = false, activation: Activation,
  gammaGradient: UnsafeMutablePointer<Float>, betaGradient: UnsafeMutablePointer<Float>,
  totals: UnsafeMutablePointer<Float>, scratch: NormScratch, pool: ThreadPool
) -> NormGradient {
  precondition(rows > 0 && channels > 0)
  let map = NormalizedMap(x: x, norm: norm, activation: activation, rowsPerImage: rows)
  let blocks = RowBlocks(rows: rows, channels: channels)
  let sums = GradientSums(scratch, parts: blocks.count, channels: channels)
  func run<F: PointwiseFunction>(_: F.Type) {
    pool.run(blocks.count) { block in
      let first = blocks.start(block)
      forEachRun(first, blocks.end(block), channels: channels) { row, count in
        OutputGradientSums<F>(
          map: map, row: row, outputGradient: outputGradient + row &* channels, rows: count,
          channels: channels, isFirst: row == first, sums: sums.part(block)
        ).cover(channels)
      }
    }
  }
  switch activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
  sums.join(
    parts: blocks.count, rows: rows, norm: norm, hasConstantStatistics: hasConstantStatistics,
    totals: totals, gammaGradient: gammaGradient, betaGradient: betaGradient)
  return NormGradient(
    x: x, outputGradient: outputGradient, channels: channels, norm: norm, activation: activation,
    totals: totals)
}

/// The parts in which `batchNormBackward` sums.
public func batchNormParts(rows: Int, channels: Int) -> Int {
  RowBlocks(rows: rows, channels: channels).count
}

/// The gradient of a norm's input from that of its argument, whose sums were joined to `totals`.
/// `inputGradient` may alias `argumentGradient` or x.
public func batchNormInputGradient(
  _ x: UnsafePointer<Float>, argumentGradient: UnsafePointer<Float>, rows: Int, channels: Int,
  norm: NormParameters, totals: UnsafePointer<Float>,
  inputGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  NormGradient(
    x: x, outputGradient: argumentGradient, channels: channels, norm: norm, activation: .identity,
    totals: totals
  ).write(rows: rows, to: inputGradient, pool: pool)
}

/// Adds Σ dz and Σ dz (x - mean) over a run of rows, where dz = dy * activation'(z).
private struct OutputGradientSums<F: PointwiseFunction>: ChannelGroup {
  let map: NormalizedMap
  let row: Int
  let outputGradient: UnsafePointer<Float>
  let rows: Int
  let channels: Int
  let isFirst: Bool
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let norm = map.norm
    let mean = L.load(norm.mean + c)
    let scale = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    var total = (isFirst ? L(splat: 0) : L.load(sums + c), L(splat: 0))
    var products = (isFirst ? L(splat: 0) : L.load(sums + channels + c), L(splat: 0))
    var source = map.x + row &* channels + c
    var gradient = outputGradient + c
    var index = 0
    while index &+ 2 <= rows {
      L.fetch(source + Ahead.floats)
      L.fetch(source + (channels &+ Ahead.floats))
      L.fetch(gradient + Ahead.floats)
      L.fetch(gradient + (channels &+ Ahead.floats))
      let a = L.load(source) - mean
      let b = L.load(source + channels) - mean
      let da = L.load(gradient) * F.derivative(L.fma(a, scale, shift))
      let db = L.load(gradient + channels) * F.derivative(L.fma(b, scale, shift))
      total.0 = total.0 + da
      total.1 = total.1 + db
      products.0 = L.fma(da, a, products.0)
      products.1 = L.fma(db, b, products.1)
      source += 2 &* channels
      gradient += 2 &* channels
      index &+= 2
    }
    if index < rows {
      let a = L.load(source) - mean
      let da = L.load(gradient) * F.derivative(L.fma(a, scale, shift))
      total.0 = total.0 + da
      products.0 = L.fma(da, a, products.0)
    }
    (total.0 + total.1).store(sums + c)
    (products.0 + products.1).store(sums + channels + c)
  }
}

/// Turns the gradient of activation(z), some rows that were just computed, into that of z, in
/// place, and adds Σ dz and Σ dz (x - mean).
struct ArgumentGradients<F: PointwiseFunction>: ChannelGroup {
  let map: NormalizedMap
  /// The first row and how many.
  let row: Int
  let rows: Int
  let channels: Int
  let isFirst: Bool
  let gradient: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>
  /// The distance of the two sums.
  let sumChannels: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let norm = map.norm
    let mean = L.load(norm.mean + c)
    let scale = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    var total = isFirst ? L(splat: 0) : L.load(sums + c)
    var products = isFirst ? L(splat: 0) : L.load(sums + sumChannels + c)
    var source = map.x + row &* channels + c
    var target = gradient + c
    let ahead = Ahead.rows &* channels
    for _ in 0..<rows {
      L.fetch(source + ahead)
      let a = L.load(source) - mean
      let dz = L.load(target) * F.derivative(L.fma(a, scale, shift))
      dz.store(target)
      total = total + dz
      products = L.fma(dz, a, products)
      source += channels
      target += channels
    }
    total.store(sums + c)
    products.store(sums + sumChannels + c)
  }
}

/// Adds the parts' sums in order; leaves mean(dz) and mean(dz x̂) / deviation in `totals`.
private struct JoinedGradients: ChannelGroup {
  let parts: UnsafeMutablePointer<Float>
  let count: Int
  /// What of a sum is in the totals: 1 / rows for the mean, 0 for nothing.
  let share: Float
  let channels: Int
  let norm: NormParameters
  let totals: UnsafeMutablePointer<Float>
  let gammaGradient: UnsafeMutablePointer<Float>
  let betaGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L(splat: 0)
    var product = L(splat: 0)
    var part = 0
    while part < count {
      let base = parts + part &* 2 &* channels + c
      sum = sum + L.load(base)
      product = product + L.load(base + channels)
      part &+= 1
    }
    let inverse = L.load(norm.inverseDeviation + c)
    let normalized = product * inverse
    (L.load(betaGradient + c) + sum).store(betaGradient + c)
    (L.load(gammaGradient + c) + normalized).store(gammaGradient + c)
    let scale = L(splat: share)
    (sum * scale).store(totals + c)
    (normalized * inverse * scale).store(totals + channels + c)
  }
}
