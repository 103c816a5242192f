// The way back through a gated map that is nowhere stored: where its readers compute the gradient of
// the norm's argument themselves, the sums of that gradient follow from sums over each image.

/// Sums over each image's pixels that are known before the gate's own gradient is, and from which
/// the sums of the gradient of the norm's argument follow afterwards.
///
/// With g the gradient of the gated map, a = x - mean and s = activation'(z): the argument's gradient
/// is (g * gate + share) * s, where gate and share belong to the image. Its sums over all pixels are
/// those over the images of gate * Σ g s + share * Σ s, and the same with a factor a.
public struct GatedSums {
  private let scratch: NormScratch
  private let batch: Int
  private let channels: Int

  /// Sums in a scratch that holds `count(batch:channels:)` floats.
  public init(_ scratch: NormScratch, batch: Int, channels: Int) {
    precondition(
      scratch.count >= Self.count(batch: batch, channels: channels),
      "the scratch is too small for the sums")
    self.scratch = scratch
    self.batch = batch
    self.channels = channels
  }

  /// The floats for a batch of images: four sums for each, behind those that they are joined to.
  public static func count(batch: Int, channels: Int) -> Int {
    GradientSums.count(parts: 1, channels: channels) + 4 * batch * channels
  }

  /// Where the sums of an image are, [4][channels].
  @inline(__always)
  private func image(_ index: Int) -> UnsafeMutablePointer<Float> {
    scratch.base + (2 &+ 4 &* index) &* channels
  }

  /// Sums over the pixels of every image; writes also what `gateGradient` gives.
  ///
  /// - Parameters:
  ///   - map: the map in front of the gate, [rows, channels].
  ///   - outputGradient: g, [rows, channels].
  ///   - gates: [images, channels], after the sigmoid.
  ///   - gateGradient: [images, channels].
  public func add(
    _ map: NormalizedMap, outputGradient: UnsafePointer<Float>, gates: UnsafePointer<Float>,
    gateGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let spatial = map.rowsPerImage
    func run<F: PointwiseFunction>(_: F.Type) {
      runPerImage(batch, spatial * channels, pool) { image in
        forEachRun(0, spatial, channels: channels) { pixel, count in
          let offset = (image &* spatial &+ pixel) &* channels
          GatedPixelSums<F>(
            x: map.x + offset, norm: map.norm, outputGradient: outputGradient + offset,
            pixels: count, channels: channels, isFirst: pixel == 0,
            gateGradient: gateGradient + image &* channels, sums: self.image(image)
          ).cover(channels)
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

  /// The sums of the argument's gradient over all images, in one part.
  ///
  /// - Parameters:
  ///   - gates: [images, channels].
  ///   - meanGradient: the gradient of each image's mean over its `pixels`, [images, channels].
  public func joined(
    gates: UnsafePointer<Float>, meanGradient: UnsafePointer<Float>, pixels: Int, pool: ThreadPool
  ) -> GradientSums {
    let sums = GradientSums(scratch, parts: 1, channels: channels)
    let width = 64
    pool.run((channels + width - 1) / width) { task in
      ImageSums(
        images: image(0), batch: batch, channels: channels, gates: gates,
        meanGradient: meanGradient, share: 1 / Float(pixels), sums: sums.part(0)
      ).cover(from: task &* width, to: min(channels, (task &+ 1) &* width))
    }
    return sums
  }
}

private struct GatedPixelSums<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let outputGradient: UnsafePointer<Float>
  let pixels: Int
  let channels: Int
  let isFirst: Bool
  let gateGradient: UnsafeMutablePointer<Float>
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let mean = L.load(norm.mean + c)
    let factor = L.load(norm.factor + c)
    let shift = L.load(norm.beta + c)
    let sums = sums + c
    func start(_ place: UnsafeMutablePointer<Float>) -> L {
      isFirst ? L(splat: 0) : L.load(place)
    }
    var gate = start(gateGradient + c)
    var gradients = start(sums)
    var slopes = start(sums + channels)
    var gradientProducts = start(sums + 2 &* channels)
    var slopeProducts = start(sums + 3 &* channels)
    var offset = c
    let ahead = Ahead.channels(L.self)
    for _ in 0..<pixels {
      L.fetch(x + offset + ahead)
      L.fetch(outputGradient + offset + ahead)
      let a = L.load(x + offset) - mean
      let g = L.load(outputGradient + offset)
      let (value, slope) = F.valueAndDerivative(L.fma(a, factor, shift))
      gate = L.fma(value, g, gate)
      let product = g * slope
      gradients = gradients + product
      slopes = slopes + slope
      gradientProducts = L.fma(product, a, gradientProducts)
      slopeProducts = L.fma(slope, a, slopeProducts)
      offset &+= channels
    }
    gate.store(gateGradient + c)
    gradients.store(sums)
    slopes.store(sums + channels)
    gradientProducts.store(sums + 2 &* channels)
    slopeProducts.store(sums + 3 &* channels)
  }
}

/// Adds up the sums of all images, in order.
private struct ImageSums: ChannelGroup {
  let images: UnsafePointer<Float>
  let batch: Int
  let channels: Int
  let gates: UnsafePointer<Float>
  let meanGradient: UnsafePointer<Float>
  let share: Float
  let sums: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var (total, products) = (L(splat: 0), L(splat: 0))
    var (source, place) = (images + c, c)
    for _ in 0..<batch {
      let gate = L.load(gates + place)
      let share = L.load(meanGradient + place) * L(splat: share)
      total = L.fma(gate, L.load(source), total)
      total = L.fma(share, L.load(source + channels), total)
      products = L.fma(gate, L.load(source + 2 &* channels), products)
      products = L.fma(share, L.load(source + 3 &* channels), products)
      source += 4 &* channels
      place &+= channels
    }
    total.store(sums + c)
    products.store(sums + channels + c)
  }
}

/// The gradient of a norm's argument.
public enum ArgumentGradient {
  /// [rows, channels].
  case stored(UnsafePointer<Float>)
  /// Computed where it is read: (gradient * gate + meanGradient / pixels) * activation'(z), with the
  /// gradient [rows, channels] of the gated map, the gates [images, channels] and the gradient
  /// [images, channels] of each image's mean.
  case gated(
    UnsafePointer<Float>, gates: UnsafePointer<Float>, meanGradient: UnsafePointer<Float>)
}
