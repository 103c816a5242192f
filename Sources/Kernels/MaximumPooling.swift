// The largest value of each channel in an image, and the way back to where it was found.

/// output [batch, channels] = the largest of x [batch, spatial, channels] over its pixels; no number
/// where one of them is none.
public func globalMaxPool(
  _ x: UnsafePointer<Float>, batch: Int, spatial: Int, channels: Int,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(batch >= 0 && spatial > 0 && channels > 0)
  runPerImage(batch, spatial * channels, pool) { image in
    forEachRun(0, spatial, channels: channels) { pixel, count in
      PixelMaxima(
        x: x + (image &* spatial &+ pixel) &* channels, pixels: count, channels: channels,
        isFirst: pixel == 0, maxima: output + image &* channels
      ).cover(channels)
    }
  }
}

/// output [images, channels] = the largest value of activation(norm(x)) over each image's pixels.
///
/// - Parameter places: [images, channels], the pixel where each was found: the first of equal ones,
///   as PyTorch's `adaptive_max_pool2d` has it.
public func globalMaxPool(
  _ map: NormalizedMap, batch: Int, channels: Int, output: UnsafeMutablePointer<Float>,
  places: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  let spatial = map.rowsPerImage
  precondition(map.gate == nil && spatial <= 1 << 24, "a place must be a float exactly")
  func run<F: PointwiseFunction>(_: F.Type) {
    runPerImage(batch, spatial * channels, pool) { image in
      forEachRun(0, spatial, channels: channels) { pixel, count in
        NormPixelMaxima<F>(
          x: map.x + (image &* spatial &+ pixel) &* channels, norm: map.norm, pixel: pixel,
          pixels: count, channels: channels, maxima: output + image &* channels,
          places: places + image &* channels
        ).cover(channels)
      }
    }
  }
  switch map.activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

/// Adds what reaches the norm's argument through the largest values, to what `pooledArgumentGradient`
/// left in `gradient` and in the sums.
///
/// - Parameters:
///   - maximumGradient: [images, channels], that of the largest values.
///   - places: [images, channels], where `globalMaxPool` found them.
public func addMaximumGradient(
  _ map: NormalizedMap, maximumGradient: UnsafePointer<Float>, places: UnsafePointer<Float>,
  batch: Int, channels: Int, gradient: UnsafeMutablePointer<Float>, sums: GradientSums,
  pool: ThreadPool
) {
  let images = imagesPerPooledPart(batch: batch)
  let norm = map.norm
  func run<F: PointwiseFunction>(_: F.Type) {
    pool.run(pooledGradientParts(batch: batch)) { part in
      let total = sums.part(part)
      let products = total + channels
      let first = part &* images
      for image in first..<min(batch, first &+ images) {
        for c in 0..<channels {
          let row = image &* map.rowsPerImage &+ Int(places[image &* channels &+ c])
          let a = map.x[row &* channels &+ c] - norm.mean[c]
          let z = Float.fma(a, norm.factor[c], norm.beta[c])
          let dz = maximumGradient[image &* channels &+ c] * F.derivative(z)
          gradient[row &* channels &+ c] += dz
          total[c] += dz
          products[c] = Float.fma(dz, a, products[c])
        }
      }
    }
  }
  switch map.activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

private struct PixelMaxima: ChannelGroup {
  let x: UnsafePointer<Float>
  let pixels: Int
  let channels: Int
  let isFirst: Bool
  let maxima: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var largest = isFirst ? L(splat: -.infinity) : L.load(maxima + c)
    var place = L(splat: 0)
    var source = x + c
    for _ in 0..<pixels {
      L.raise(&largest, to: L.load(source), &place, to: place)
      source += channels
    }
    largest.store(maxima + c)
  }
}

private struct NormPixelMaxima<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  /// The place of the first pixel in its image.
  let pixel: Int
  let pixels: Int
  let channels: Int
  let maxima: UnsafeMutablePointer<Float>
  let places: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let mean = L.load(norm.mean + c)
    let factor = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    var largest = pixel == 0 ? L(splat: -.infinity) : L.load(maxima + c)
    var place = pixel == 0 ? L(splat: 0) : L.load(places + c)
    var source = x + c
    for index in pixel..<(pixel &+ pixels) {
      let value = F.value(L.fma(L.load(source) - mean, factor, shift))
      L.raise(&largest, to: value, &place, to: L(splat: Float(index)))
      source += channels
    }
    largest.store(maxima + c)
    place.store(places + c)
  }
}
