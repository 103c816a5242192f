/// Memory for the partial sums of batch normalisation, shared by all layers of a network.
///
/// SAFETY: only a pointer that never changes; one thread at a time may use a scratch.
public final class NormScratch: @unchecked Sendable {
  /// The most channels a call may have.
  public let channels: Int
  private let buffer: FloatBuffer

  /// Allocates for up to `channels` channels.
  public init(channels: Int) {
    precondition(channels > 0, "a scratch needs at least one channel")
    self.channels = channels
    buffer = FloatBuffer(count: (RowBlocks.limit + 1) * 2 * channels)
  }

  var base: UnsafeMutablePointer<Float> { buffer.base }
}

/// Mean and biased variance of every channel of x [rows, channels].
///
/// Each block of rows is read twice (the second time from cache), around its own mean; the blocks
/// are joined by the formula of Chan, Golub and LeVeque (1979), their means kept as differences
/// from the first row. A large mean costs no accuracy.
public func batchNormStatistics(
  _ x: UnsafePointer<Float>, rows: Int, channels: Int, mean: UnsafeMutablePointer<Float>,
  variance: UnsafeMutablePointer<Float>, scratch: NormScratch, pool: ThreadPool
) {
  precondition(rows > 0 && channels > 0 && channels <= scratch.channels)
  let blocks = RowBlocks(rows: rows, channels: channels)
  let partial = scratch.base
  pool.run(blocks.count) { block in
    let first = blocks.start(block)
    BlockMoments(
      x: x + first * channels, origin: x, rows: blocks.end(block) - first, channels: channels,
      offset: partial + block * 2 * channels, squares: partial + (block * 2 + 1) * channels
    ).cover(channels)
  }
  JoinedMoments(
    origin: x, partial: partial, blocks: blocks, channels: channels, mean: mean,
    variance: variance
  ).cover(channels)
}

/// The mean of a block of rows, less the first row of all, and the squares around that mean.
private struct BlockMoments: ChannelGroup {
  let x: UnsafePointer<Float>
  let origin: UnsafePointer<Float>
  let rows: Int
  let channels: Int
  let offset: UnsafeMutablePointer<Float>
  let squares: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at channel: Int) {
    let zero = L(splat: 0)
    var sums = (zero, zero, zero, zero)
    var source = x + channel
    var row = 0
    while row &+ 4 <= rows {
      sums.0 = sums.0 + L.load(source)
      sums.1 = sums.1 + L.load(source + channels)
      sums.2 = sums.2 + L.load(source + 2 &* channels)
      sums.3 = sums.3 + L.load(source + 3 &* channels)
      source += 4 &* channels
      row &+= 4
    }
    while row < rows {
      sums.0 = sums.0 + L.load(source)
      source += channels
      row &+= 1
    }
    let scale = L(splat: 1 / Float(rows))
    let center = ((sums.0 + sums.1) + (sums.2 + sums.3)) * scale
    var rest = (zero, zero)
    var squared = (zero, zero)
    source = x + channel
    row = 0
    while row &+ 2 <= rows {
      let a = L.load(source) - center
      let b = L.load(source + channels) - center
      rest.0 = rest.0 + a
      rest.1 = rest.1 + b
      squared.0 = L.fma(a, a, squared.0)
      squared.1 = L.fma(b, b, squared.1)
      source += 2 &* channels
      row &+= 2
    }
    if row < rows {
      let a = L.load(source) - center
      rest.0 = rest.0 + a
      squared.0 = L.fma(a, a, squared.0)
    }
    // What the rounded mean left over: it moves the mean and takes its square off.
    let correction = (rest.0 + rest.1) * scale
    ((center - L.load(origin + channel)) + correction).store(offset + channel)
    ((squared.0 + squared.1) - (rest.0 + rest.1) * correction).store(squares + channel)
  }
}

private struct JoinedMoments: ChannelGroup {
  let origin: UnsafePointer<Float>
  let partial: UnsafeMutablePointer<Float>
  let blocks: RowBlocks
  let channels: Int
  let mean: UnsafeMutablePointer<Float>
  let variance: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at channel: Int) {
    var offset = L(splat: 0)
    var squares = L(splat: 0)
    var block = 0
    while block < blocks.count {
      let weight = L(splat: Float(blocks.end(block) &- blocks.start(block)))
      let base = partial + block &* 2 &* channels + channel
      offset = L.fma(L.load(base), weight, offset)
      squares = squares + L.load(base + channels)
      block &+= 1
    }
    let scale = L(splat: 1 / Float(blocks.rows))
    let center = offset * scale
    block = 0
    while block < blocks.count {
      let weight = L(splat: Float(blocks.end(block) &- blocks.start(block)))
      let distance = L.load(partial + block &* 2 &* channels + channel) - center
      squares = L.fma(distance * distance, weight, squares)
      block &+= 1
    }
    (L.load(origin + channel) + center).store(mean + channel)
    (squares * scale).store(variance + channel)
  }
}

/// output = activation((x - mean) * inverseDeviation * gamma + beta) + residual, with statistics
/// and parameters of shape [channels]; output may alias x or residual.
public func batchNormForward(
  _ x: UnsafePointer<Float>, rows: Int, channels: Int, mean: UnsafePointer<Float>,
  inverseDeviation: UnsafePointer<Float>, gamma: UnsafePointer<Float>,
  beta: UnsafePointer<Float>, activation: Activation, residual: UnsafePointer<Float>?,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(rows >= 0 && channels > 0)
  func run<F: PointwiseFunction>(_: F.Type) {
    RowBlocks(rows: rows, channels: channels).forEachRow(channels: channels, pool) { offset in
      NormalizedRow<F>(
        x: x + offset, mean: mean, inverseDeviation: inverseDeviation, gamma: gamma, beta: beta,
        residual: residual.map { $0 + offset }, output: output + offset
      ).cover(channels)
    }
  }
  switch activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

private struct NormalizedRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let mean: UnsafePointer<Float>
  let inverseDeviation: UnsafePointer<Float>
  let gamma: UnsafePointer<Float>
  let beta: UnsafePointer<Float>
  let residual: UnsafePointer<Float>?
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let scale = L.load(inverseDeviation + c) * L.load(gamma + c)
    let z = L.fma(L.load(x + c) - L.load(mean + c), scale, L.load(beta + c))
    let value = F.value(z)
    if let residual {
      (value + L.load(residual + c)).store(output + c)
    } else {
      value.store(output + c)
    }
  }
}

/// output = activation(x * scale + shift) + residual, with scale and shift of shape [channels]:
/// batch normalisation with fixed statistics. output may alias x or residual.
public func scaleShiftActivate(
  _ x: UnsafePointer<Float>, rows: Int, channels: Int, scale: UnsafePointer<Float>,
  shift: UnsafePointer<Float>, activation: Activation, residual: UnsafePointer<Float>?,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(rows >= 0 && channels > 0)
  func run<F: PointwiseFunction>(_: F.Type) {
    RowBlocks(rows: rows, channels: channels).forEachRow(channels: channels, pool) { offset in
      ScaledRow<F>(
        x: x + offset, scale: scale, shift: shift, residual: residual.map { $0 + offset },
        output: output + offset
      ).cover(channels)
    }
  }
  switch activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

private struct ScaledRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let scale: UnsafePointer<Float>
  let shift: UnsafePointer<Float>
  let residual: UnsafePointer<Float>?
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let value = F.value(L.fma(L.load(x + c), L.load(scale + c), L.load(shift + c)))
    if let residual {
      (value + L.load(residual + c)).store(output + c)
    } else {
      value.store(output + c)
    }
  }
}
