/// The scale and the shift of a layer norm, [channels] each, and what is added to the variance.
public struct LayerNormParameters {
  let scale: UnsafePointer<Float>
  let shift: UnsafePointer<Float>
  let epsilon: Float

  /// Creates it from two numbers per channel.
  public init(
    scale: UnsafePointer<Float>, shift: UnsafePointer<Float>, epsilon: Float
  ) {
    self.scale = scale
    self.shift = shift
    self.epsilon = epsilon
  }
}

/// output = (x - mean) / deviation * scale + shift for each row of x [rows, channels], with the
/// row's own mean and biased variance (Ba, Kiros and Hinton, arXiv:1607.06450).
///
/// - Parameters:
///   - statistics: is given each row's mean and 1/deviation, [rows][2]; nil where nobody wants them.
///   - output: may alias x.
public func layerNormForward(
  _ x: UnsafePointer<Float>, rows: Int, channels: Int, norm: LayerNormParameters,
  statistics: UnsafeMutablePointer<Float>?, output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(rows >= 0 && channels > 0)
  let blocks = RowBlocks(rows: rows, channels: channels)
  pool.run(blocks.count) { block in
    for row in blocks.start(block)..<blocks.end(block) {
      let source = x + row &* channels
      let mean = RowValues(x: source).sum(channels) / Float(channels)
      let squares = SquaredDistances(x: source, mean: mean).sum(channels)
      let inverse = 1 / (squares / Float(channels) + norm.epsilon).squareRoot()
      if let statistics {
        statistics[2 &* row] = mean
        statistics[2 &* row &+ 1] = inverse
      }
      LayerNormRow(
        x: source, mean: mean, inverse: inverse, norm: norm, output: output + row &* channels
      ).cover(channels)
    }
  }
}

/// The gradients of `layerNormForward`.
///
/// - Parameters:
///   - statistics: those of the forward pass.
///   - inputGradient: is added to; it may not alias `outputGradient`.
///   - scaleGradient, shiftGradient: [channels], are added to.
public func layerNormBackward(
  _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, rows: Int, channels: Int,
  norm: LayerNormParameters, statistics: UnsafePointer<Float>,
  inputGradient: UnsafeMutablePointer<Float>, scaleGradient: UnsafeMutablePointer<Float>,
  shiftGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(rows >= 0 && channels > 0)
  let blocks = RowBlocks(rows: rows, channels: channels)
  pool.run(blocks.count) { block in
    for row in blocks.start(block)..<blocks.end(block) {
      let (source, gradient) = (x + row &* channels, outputGradient + row &* channels)
      let (mean, inverse) = (statistics[2 &* row], statistics[2 &* row &+ 1])
      let total = RowProducts(x: gradient, y: norm.scale).sum(channels)
      let product = ScaledProducts(
        x: source, mean: mean, scale: norm.scale, outputGradient: gradient
      ).sum(channels)
      LayerNormGradientRow(
        x: source, outputGradient: gradient, mean: mean, inverse: inverse,
        total: total / Float(channels), product: product * inverse * inverse / Float(channels),
        scale: norm.scale, inputGradient: inputGradient + row &* channels
      ).cover(channels)
    }
  }
  let sums = LayerNormColumnSums(
    x: x, outputGradient: outputGradient, rows: rows, channels: channels, statistics: statistics,
    scaleGradient: scaleGradient, shiftGradient: shiftGradient)
  let width = rows * channels < 1 << 14 ? channels : 64
  pool.run((channels + width - 1) / width) { part in
    sums.cover(from: part * width, to: min(channels, (part + 1) * width))
  }
}

/// A number for each channel of a row, whatever the number of lanes.
protocol RowTerm {
  func value<L: Lanes>(_: L.Type, at channel: Int) -> L
}

extension RowTerm {
  /// The sum over the channels 0 ..< count, always in the same order.
  @inline(__always)
  func sum(_ count: Int) -> Float {
    var sums = Vector.zero
    var c = 0
    while c &+ 16 <= count {
      sums = sums + value(Vector.self, at: c)
      c &+= 16
    }
    var sum = sums.total
    while c < count {
      sum += value(Float.self, at: c)
      c &+= 1
    }
    return sum
  }
}

/// x.
struct RowValues: RowTerm {
  let x: UnsafePointer<Float>

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at c: Int) -> L { L.load(x + c) }
}

/// x times y.
struct RowProducts: RowTerm {
  let x: UnsafePointer<Float>
  let y: UnsafePointer<Float>

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at c: Int) -> L { L.load(x + c) * L.load(y + c) }
}

private struct SquaredDistances: RowTerm {
  let x: UnsafePointer<Float>
  let mean: Float

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at c: Int) -> L {
    let distance = L.load(x + c) - L(splat: mean)
    return distance * distance
  }
}

private struct ScaledProducts: RowTerm {
  let x: UnsafePointer<Float>
  let mean: Float
  let scale: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>

  @inline(__always)
  func value<L: Lanes>(_: L.Type, at c: Int) -> L {
    (L.load(x + c) - L(splat: mean)) * (L.load(outputGradient + c) * L.load(scale + c))
  }
}

private struct LayerNormRow: ChannelGroup {
  let x: UnsafePointer<Float>
  let mean: Float
  let inverse: Float
  let norm: LayerNormParameters
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let distance = (L.load(x + c) - L(splat: mean)) * L(splat: inverse)
    L.fma(distance, L.load(norm.scale + c), L.load(norm.shift + c)).store(output + c)
  }
}

/// inputGradient += (g - total - (x - mean) * product) / deviation, with g = outputGradient * scale.
private struct LayerNormGradientRow: ChannelGroup {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let mean: Float
  let inverse: Float
  let total: Float
  let product: Float
  let scale: UnsafePointer<Float>
  let inputGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let g = L.load(outputGradient + c) * L.load(scale + c)
    let distance = L.load(x + c) - L(splat: mean)
    let centred = g - L(splat: total) - distance * L(splat: product)
    L.fma(centred, L(splat: inverse), L.load(inputGradient + c)).store(inputGradient + c)
  }
}

private struct LayerNormColumnSums: ChannelGroup {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let rows: Int
  let channels: Int
  let statistics: UnsafePointer<Float>
  let scaleGradient: UnsafeMutablePointer<Float>
  let shiftGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var scale = L.load(scaleGradient + c)
    var shift = L.load(shiftGradient + c)
    var offset = c
    for row in 0..<rows {
      let gradient = L.load(outputGradient + offset)
      let distance = L.load(x + offset) - L(splat: statistics[2 &* row])
      scale = L.fma(gradient, distance * L(splat: statistics[2 &* row &+ 1]), scale)
      shift = shift + gradient
      offset &+= channels
    }
    scale.store(scaleGradient + c)
    shift.store(shiftGradient + c)
  }
}
