// What squeeze-and-excitation and the head do with a normalised map: its mean over each image, and
// the way back. The map is computed from x wherever it is needed.

/// output [images, channels] = the mean of activation(norm(x)) over each image's pixels.
public func globalAveragePool(
  _ map: NormalizedMap, batch: Int, channels: Int, output: UnsafeMutablePointer<Float>,
  pool: ThreadPool
) {
  let spatial = map.rowsPerImage
  func run<F: PointwiseFunction>(_: F.Type) {
    runPerImage(batch, spatial * channels, pool) { image in
      forEachRun(0, spatial, channels: channels) { pixel, count in
        NormPixelSums<F>(
          x: map.x + (image &* spatial &+ pixel) &* channels, norm: map.norm, pixels: count,
          channels: channels, isFirst: pixel == 0,
          scale: pixel &+ count == spatial ? 1 / Float(spatial) : 1,
          sums: output + image &* channels
        ).coverChains(channels)
      }
    }
  }
  switch map.activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

/// gateGradient [images, channels] = Σ outputGradient * activation(norm(x)) over each image's
/// pixels, where outputGradient [rows, channels] is that of the map gated by sigmoids; times their slope at
/// `gates` [images, channels]: the gradient of what the sigmoids are taken of.
public func gateGradient(
  _ map: NormalizedMap, outputGradient: UnsafePointer<Float>, gates: UnsafePointer<Float>,
  batch: Int, channels: Int, gateGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  let spatial = map.rowsPerImage
  func run<F: PointwiseFunction>(_: F.Type) {
    runPerImage(batch, spatial * channels, pool) { image in
      forEachRun(0, spatial, channels: channels) { pixel, count in
        let offset = (image &* spatial &+ pixel) &* channels
        NormGateSums<F>(
          x: map.x + offset, norm: map.norm, outputGradient: outputGradient + offset,
          pixels: count, channels: channels, isFirst: pixel == 0,
          sums: gateGradient + image &* channels
        ).coverChains(channels)
      }
      SigmoidSlopes(y: gates + image &* channels, gradient: gateGradient + image &* channels)
        .cover(channels)
    }
  }
  switch map.activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

/// The gradient of the norm's argument where the map is gated and its mean is used, in place of
/// `gradient`, that of the gated map: (gradient * gate + meanGradient / pixels) * activation'(z),
/// with its sums.
///
/// - Parameters:
///   - map: with the gate, or without one where only the mean is used: then `gradient` is written
///     only.
///   - meanGradient: [images, channels].
///   - sums: of `pooledGradientParts` parts.
public func pooledArgumentGradient(
  _ map: NormalizedMap, meanGradient: UnsafePointer<Float>, batch: Int, channels: Int,
  gradient: UnsafeMutablePointer<Float>, sums: GradientSums, pool: ThreadPool
) {
  func run<F: PointwiseFunction>(_: F.Type) {
    forEachPooledRun(map, batch: batch, channels: channels, pool) { run in
      PooledGradients<F>(
        map: map, image: run.image, row: run.row, rows: run.count, channels: channels,
        isFirst: run.isFirst, meanGradient: meanGradient + run.image &* channels,
        gradient: gradient + run.row &* channels, sums: sums.part(run.part)
      ).cover(channels)
    }
  }
  switch map.activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

/// The parts in which the gradients of a pooled map are summed.
public func pooledGradientParts(batch: Int) -> Int {
  let images = imagesPerPooledPart(batch: batch)
  return (batch + images - 1) / images
}

func imagesPerPooledPart(batch: Int) -> Int { (batch + 15) / 16 }

/// A few neighbouring rows of one image.
struct PooledRun {
  let part: Int
  let image: Int
  let row: Int
  let count: Int
  /// Whether the part's sums begin with it.
  let isFirst: Bool
}

/// Calls `body` with the runs of rows of all images, part by part in parallel.
@inline(__always)
func forEachPooledRun(
  _ map: NormalizedMap, batch: Int, channels: Int, _ pool: ThreadPool, _ body: (PooledRun) -> Void
) {
  let spatial = map.rowsPerImage
  let images = imagesPerPooledPart(batch: batch)
  pool.run(pooledGradientParts(batch: batch)) { part in
    let first = part &* images
    for image in first..<min(batch, first &+ images) {
      forEachRun(0, spatial, channels: channels) { pixel, count in
        body(
          PooledRun(
            part: part, image: image, row: image &* spatial &+ pixel, count: count,
            isFirst: image == first && pixel == 0))
      }
    }
  }
}

private struct NormPixelSums<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let pixels: Int
  let channels: Int
  let isFirst: Bool
  let scale: Float
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let mean = L.load(norm.mean + c)
    let factor = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    var sum = isFirst ? L(splat: 0) : L.load(sums + c)
    var source = x + c
    for _ in 0..<pixels {
      sum = sum + F.value(L.fma(L.load(source) - mean, factor, shift))
      source += channels
    }
    (sum * L(splat: scale)).store(sums + c)
  }
}

private struct NormGateSums<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let outputGradient: UnsafePointer<Float>
  let pixels: Int
  let channels: Int
  let isFirst: Bool
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let mean = L.load(norm.mean + c)
    let factor = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    var sum = isFirst ? L(splat: 0) : L.load(sums + c)
    var offset = c
    let ahead = Ahead.channels(L.self)
    for _ in 0..<pixels {
      L.fetch(x + offset + ahead)
      L.fetch(outputGradient + offset + ahead)
      let value = F.value(L.fma(L.load(x + offset) - mean, factor, shift))
      sum = L.fma(value, L.load(outputGradient + offset), sum)
      offset &+= channels
    }
    sum.store(sums + c)
  }
}

private struct PooledGradients<F: PointwiseFunction>: ChannelGroup {
  let map: NormalizedMap
  let image: Int
  /// The first row and how many.
  let row: Int
  let rows: Int
  let channels: Int
  let isFirst: Bool
  let meanGradient: UnsafePointer<Float>
  let gradient: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let share = L.load(meanGradient + c) * L(splat: 1 / Float(map.rowsPerImage))
    if let gates = map.gate {
      let gate = L.load(gates + (image &* channels &+ c))
      sum(L.self, at: c) { L.fma(L.load($0), gate, share) }
    } else {
      sum(L.self, at: c) { _ in share }
    }
  }

  /// - Parameter outputGradient: the gradient of the map, from that of the gated map at a place.
  @inline(__always)
  private func sum<L: Lanes>(
    _: L.Type, at c: Int, _ outputGradient: (UnsafeMutablePointer<Float>) -> L
  ) {
    let norm = map.norm
    let mean = L.load(norm.mean + c)
    let factor = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    var total = isFirst ? L(splat: 0) : L.load(sums + c)
    var products = isFirst ? L(splat: 0) : L.load(sums + channels + c)
    var source = map.x + row &* channels + c
    var target = gradient + c
    let ahead = Ahead.channels(L.self)
    for _ in 0..<rows {
      L.fetch(source + ahead)
      L.fetch(target + ahead)
      let a = L.load(source) - mean
      let slope = F.derivative(L.fma(a, factor, shift))
      let dz = outputGradient(target) * slope
      dz.store(target)
      total = total + dz
      products = L.fma(dz, a, products)
      source += channels
      target += channels
    }
    total.store(sums + c)
    products.store(sums + channels + c)
  }
}
