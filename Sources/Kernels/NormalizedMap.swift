/// What batch normalisation does to each channel: z = (x - mean) * factor + beta, where the factor is
/// gamma * inverseDeviation.
public struct NormParameters {
  let mean: UnsafePointer<Float>
  let inverseDeviation: UnsafePointer<Float>
  let factor: UnsafePointer<Float>
  let beta: UnsafePointer<Float>

  /// Creates it from four numbers per channel.
  public init(
    mean: UnsafePointer<Float>, inverseDeviation: UnsafePointer<Float>,
    factor: UnsafePointer<Float>, beta: UnsafePointer<Float>
  ) {
    self.mean = mean
    self.inverseDeviation = inverseDeviation
    self.factor = factor
    self.beta = beta
  }

  /// The same for the channels from `channel` on.
  func from(_ channel: Int) -> NormParameters {
    NormParameters(
      mean: mean + channel, inverseDeviation: inverseDeviation + channel, factor: factor + channel,
      beta: beta + channel)
  }
}

/// The map activation(norm(x)) [rows, channels], times a gate for each image and channel where
/// there is one. It is never stored as a whole: who reads it computes the rows that it needs, which
/// costs less than fetching them from memory.
public struct NormalizedMap {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let activation: Activation
  let gate: UnsafePointer<Float>?
  let rowsPerImage: Int

  /// - Parameters:
  ///   - x: what is normalised, [rows, channels].
  ///   - gate: [images, channels].
  ///   - rowsPerImage: the pixels of an image.
  public init(
    x: UnsafePointer<Float>, norm: NormParameters, activation: Activation,
    gate: UnsafePointer<Float>? = nil, rowsPerImage: Int
  ) {
    self.x = x
    self.norm = norm
    self.activation = activation
    self.gate = gate
    self.rowsPerImage = rowsPerImage
  }

  /// Writes the rows first ..< first + count to `target`, one behind the other.
  func write(
    first: Int, count: Int, channels: Int, to target: UnsafeMutablePointer<Float>
  ) {
    func run<F: PointwiseFunction>(_: F.Type) {
      var image = first / rowsPerImage
      var left = rowsPerImage &- (first &- image &* rowsPerImage)
      for row in 0..<count {
        GatedNormRow<F>(
          x: x + (first &+ row) &* channels, norm: norm, gate: gate.map { $0 + image &* channels },
          target: target + row &* channels
        ).coverChains(channels)
        left &-= 1
        if left == 0 {
          image &+= 1
          left = rowsPerImage
        }
      }
    }
    switch activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
    }
  }
}

extension NormalizedMap {
  /// Writes the channels start ..< end (multiples of 8 but for the last) of some rows as packed tiles.
  ///
  /// - Parameter offsets: where every eighth of these channels lies within its row's pixel.
  func writeTiles(
    first: Int, count: Int, channels: Int, from start: Int, to end: Int,
    offsets: UnsafePointer<Int>, into target: UnsafeMutablePointer<Float>
  ) {
    func run<F: PointwiseFunction>(_: F.Type) {
      var image = first / rowsPerImage
      var left = rowsPerImage &- (first &- image &* rowsPerImage)
      for row in 0..<count {
        TiledNormRow<F>(
          x: x + (first &+ row) &* channels, norm: norm, gate: gate.map { $0 + image &* channels },
          start: start, offsets: offsets, target: target + row &* PackedTiles.rows
        ).coverChains(from: start, to: end)
        left &-= 1
        if left == 0 {
          image &+= 1
          left = rowsPerImage
        }
      }
    }
    switch activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
    }
  }
}

private struct TiledNormRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let gate: UnsafePointer<Float>?
  let start: Int
  let offsets: UnsafePointer<Int>
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetch(x + c + Ahead.floats)
    var value = F.value(norm.value(L.load(x + c), at: c))
    if let gate { value = value * L.load(gate + c) }
    value.storeEights(target) { lane in
      let row = c &- start &+ lane
      return offsets[row &>> 3] &+ row & 7
    }
  }
}

struct GatedNormRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let gate: UnsafePointer<Float>?
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetch(x + c + Ahead.floats)
    var value = F.value(norm.value(L.load(x + c), at: c))
    if let gate { value = value * L.load(gate + c) }
    value.store(target + c)
  }
}

extension NormParameters {
  /// z of x, for the lanes from channel c on.
  @inline(__always)
  func value<L: Lanes>(_ x: L, at c: Int) -> L {
    L.fma(x - L.load(mean + c), L.load(factor + c), L.load(beta + c))
  }
}
