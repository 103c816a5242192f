// What a global context does with a normalised map: the mean over each image's pixels, weighted by
// an attention (Cao et al., arXiv:1904.11492), and the way back. The map is computed from x wherever
// it is needed.

/// The attention and the context of each image.
///
/// - Parameters:
///   - map: f = activation(norm(x)), without a gate.
///   - weight: [channels]; bias: one number.
///   - shares: is given softmax(f · weight + bias) over the pixels of each image, [images, pixels].
///   - context: is given Σ shares * f, [images, channels].
public func contextPool(
  _ map: NormalizedMap, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, batch: Int,
  channels: Int, shares: UnsafeMutablePointer<Float>, context: UnsafeMutablePointer<Float>,
  pool: ThreadPool
) {
  let spatial = map.rowsPerImage
  withRows(channels, pool) { memory in
    pool.runOnWorkers(batch) { image, worker in
      let row = memory.own(worker)
      let shares = shares + image &* spatial
      for pixel in 0..<spatial {
        map.write(first: image &* spatial &+ pixel, count: 1, channels: channels, to: row)
        shares[pixel] = RowProducts(x: row, y: weight).sum(channels) + bias[0]
      }
      softmaxRow(shares, count: spatial)
      let context = context + image &* channels
      context.update(repeating: 0, count: channels)
      for pixel in 0..<spatial {
        map.write(first: image &* spatial &+ pixel, count: 1, channels: channels, to: row)
        WeightedRow(x: row, factor: shares[pixel], target: context).cover(channels)
      }
    }
  }
}

/// The same of a stored map x [images, pixels, channels].
public func contextPool(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>, batch: Int,
  spatial: Int, channels: Int, shares: UnsafeMutablePointer<Float>,
  context: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  pool.run(batch) { image in
    let shares = shares + image &* spatial
    let x = x + image &* spatial &* channels
    for pixel in 0..<spatial {
      shares[pixel] = RowProducts(x: x + pixel &* channels, y: weight).sum(channels) + bias[0]
    }
    softmaxRow(shares, count: spatial)
    let context = context + image &* channels
    context.update(repeating: 0, count: channels)
    for pixel in 0..<spatial {
      WeightedRow(x: x + pixel &* channels, factor: shares[pixel], target: context).cover(channels)
    }
  }
}

/// The gradients of the attention, whose arguments' gradients replace nothing: `slopes` [images,
/// pixels] is given them, and those of weight and bias are added to what is there.
///
/// - Parameters:
///   - contextGradient: [images, channels].
///   - sums: [images, channels + 1], scratch.
public func contextAttentionGradient(
  _ map: NormalizedMap, contextGradient: UnsafePointer<Float>, shares: UnsafePointer<Float>,
  batch: Int, channels: Int, slopes: UnsafeMutablePointer<Float>,
  sums: UnsafeMutablePointer<Float>, weightGradient: UnsafeMutablePointer<Float>,
  biasGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  let spatial = map.rowsPerImage
  withRows(channels, pool) { memory in
    pool.runOnWorkers(batch) { image, worker in
      let row = memory.own(worker)
      let (shares, slopes) = (shares + image &* spatial, slopes + image &* spatial)
      let gradient = contextGradient + image &* channels
      for pixel in 0..<spatial {
        map.write(first: image &* spatial &+ pixel, count: 1, channels: channels, to: row)
        slopes[pixel] = RowProducts(x: row, y: gradient).sum(channels)
      }
      let mean = RowProducts(x: shares, y: slopes).sum(spatial)
      let sums = sums + image &* (channels &+ 1)
      sums.update(repeating: 0, count: channels &+ 1)
      for pixel in 0..<spatial {
        slopes[pixel] = shares[pixel] * (slopes[pixel] - mean)
        map.write(first: image &* spatial &+ pixel, count: 1, channels: channels, to: row)
        WeightedRow(x: row, factor: slopes[pixel], target: sums).cover(channels)
        sums[channels] += slopes[pixel]
      }
    }
  }
  for image in 0..<batch {
    let sums = sums + image &* (channels &+ 1)
    WeightedRow(x: sums, factor: 1, target: weightGradient).cover(channels)
    biasGradient[0] += sums[channels]
  }
}

/// The gradient of the norm's argument in place of `gradient`, that of the gated map: (gradient *
/// gate + share * contextGradient + slope * weight) * activation'(z), with its sums.
///
/// - Parameters:
///   - map: with the gate.
///   - sums: of `pooledGradientParts` parts.
public func contextArgumentGradient(
  _ map: NormalizedMap, contextGradient: UnsafePointer<Float>, shares: UnsafePointer<Float>,
  slopes: UnsafePointer<Float>, weight: UnsafePointer<Float>, batch: Int, channels: Int,
  gradient: UnsafeMutablePointer<Float>, sums: GradientSums, pool: ThreadPool
) {
  guard let gates = map.gate else { preconditionFailure("a global context gates its map") }
  func run<F: PointwiseFunction>(_: F.Type) {
    forEachPooledRun(map, batch: batch, channels: channels, pool) { run in
      let (image, row) = (run.image &* channels, run.row)
      ContextGradients<F>(
        x: map.x + row &* channels, norm: map.norm, gates: gates + image,
        contextGradient: contextGradient + image, shares: shares + row, slopes: slopes + row,
        weight: weight, rows: run.count, channels: channels, isFirst: run.isFirst,
        gradient: gradient + row &* channels, sums: sums.part(run.part)
      ).cover(channels)
    }
  }
  switch map.activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

/// Calls `body` with memory in which each worker of the pool has a row of the map.
private func withRows(_ channels: Int, _ pool: ThreadPool, _ body: (WorkMemory) -> Void) {
  pool.workspace.reserve(own: channels)
  pool.workspace.use(body)
}

/// target += factor * x.
private struct WeightedRow: ChannelGroup {
  let x: UnsafePointer<Float>
  let factor: Float
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fma(L.load(x + c), L(splat: factor), L.load(target + c)).store(target + c)
  }
}

private struct ContextGradients<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let gates: UnsafePointer<Float>
  let contextGradient: UnsafePointer<Float>
  /// Of each row.
  let shares: UnsafePointer<Float>
  let slopes: UnsafePointer<Float>
  let weight: UnsafePointer<Float>
  let rows: Int
  let channels: Int
  let isFirst: Bool
  let gradient: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let mean = L.load(norm.mean + c)
    let factor = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    let (gate, weight) = (L.load(gates + c), L.load(weight + c))
    let context = L.load(contextGradient + c)
    var total = isFirst ? L(splat: 0) : L.load(sums + c)
    var products = isFirst ? L(splat: 0) : L.load(sums + channels + c)
    var offset = c
    for row in 0..<rows {
      let a = L.load(x + offset) - mean
      var dy = L.load(gradient + offset) * gate
      dy = L.fma(context, L(splat: shares[row]), dy)
      dy = L.fma(weight, L(splat: slopes[row]), dy)
      let dz = dy * F.derivative(L.fma(a, factor, shift))
      dz.store(gradient + offset)
      total = total + dz
      products = L.fma(dz, a, products)
      offset &+= channels
    }
    total.store(sums + c)
    products.store(sums + channels + c)
  }
}
