extension NormalizedMap {
  /// Writes the channels of some rows to the pixels of a slab that begins with the first of these
  /// channels, and the activation's derivatives to another where they are wanted. What lies `ahead`
  /// floats behind a number is fetched. The map has no gate.
  func writeSlab(
    first: Int, count: Int, channels: Int, slab: Range<Int>, ahead: Int, to values: ChannelSlab,
    slopes: ChannelSlab? = nil
  ) {
    func run<F: PointwiseFunction>(_: F.Type) {
      let start = slab.lowerBound
      let norm = norm.from(start)
      for row in 0..<count {
        let source = x + ((first &+ row) &* channels &+ start)
        if let slopes {
          SlabRowWithSlopes<F>(
            x: source, ahead: ahead, norm: norm, slab: values, target: values.pixel(row),
            slopeSlab: slopes, slopes: slopes.pixel(row)
          ).coverChains(slab.count)
        } else {
          SlabRow<F>(
            x: source, ahead: ahead, norm: norm, slab: values, target: values.pixel(row)
          ).coverChains(slab.count)
        }
      }
    }
    switch activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
    }
  }

  /// Writes the gradients of the norm's input, from that of its argument and the totals of the joined
  /// sums, to the pixels of a slab. What lies `ahead` floats behind a number is fetched.
  func writeInputGradients(
    _ gradient: ArgumentGradient, images: Range<Int>, channels: Int,
    totals: UnsafePointer<Float>, slab: Range<Int>, ahead: Int, to target: ChannelSlab
  ) {
    let start = slab.lowerBound
    let norm = norm.from(start)
    let first = images.lowerBound &* rowsPerImage
    switch gradient {
    case .stored(let gradient):
      let row = first &* channels &+ start
      SlabGradients(
        first: NormInputGradient(
          x: x + row, outputGradient: gradient + row, channels: channels, norm: norm,
          totals: totals + start),
        rows: images.count &* rowsPerImage, ahead: ahead, slab: target
      ).cover(slab.count)
    case .gated(let gradient, let gates, let meanGradient):
      func run<F: PointwiseFunction>(_: F.Type) {
        for image in images {
          let place = image &* channels &+ start
          let before = (image &- images.lowerBound) &* rowsPerImage
          for pixel in before..<before &+ rowsPerImage {
            let row = (first &+ pixel) &* channels &+ start
            GatedSlabGradientRow<F>(
              x: x + row, norm: norm, gradient: gradient + row, gate: gates + place,
              meanGradient: meanGradient + place, share: 1 / Float(rowsPerImage),
              totals: totals + start, channels: channels, ahead: ahead, slab: target,
              target: target.pixel(pixel)
            ).cover(slab.count)
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
}

private struct SlabRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  /// Floats to what is read later and fetched now.
  let ahead: Int
  let norm: NormParameters
  let slab: ChannelSlab
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetch(x + c + ahead)
    F.value(norm.value(L.load(x + c), at: c)).storeBlocks(target + slab.offset(c), slab.distance)
  }
}

private struct SlabRowWithSlopes<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  /// Floats to what is read later and fetched now.
  let ahead: Int
  let norm: NormParameters
  let slab: ChannelSlab
  let target: UnsafeMutablePointer<Float>
  let slopeSlab: ChannelSlab
  let slopes: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetch(x + c + ahead)
    let z = norm.value(L.load(x + c), at: c)
    let (value, slope) = F.valueAndDerivative(z)
    value.storeBlocks(target + slab.offset(c), slab.distance)
    slope.storeBlocks(slopes + slopeSlab.offset(c), slopeSlab.distance)
  }
}

/// The gradients of a norm's input to the pixels of a slab.
private struct SlabGradients: ChannelGroup {
  let first: NormInputGradient<IdentityFunction>
  let rows: Int
  /// Floats to what is read later and fetched now.
  let ahead: Int
  let slab: ChannelSlab

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let constants = first.constants(L.self, at: c)
    let place = slab.offset(c)
    var (x, gradient) = (first.x + c, first.outputGradient + c)
    for row in 0..<rows {
      L.fetch(x + ahead)
      L.fetch(gradient + ahead)
      constants.value(L.load(x), L.load(gradient))
        .storeBlocks(slab.pixel(row) + place, slab.distance)
      x += first.channels
      gradient += first.channels
    }
  }
}

/// The same from the gradient of the gated map.
private struct GatedSlabGradientRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let gradient: UnsafePointer<Float>
  let gate: UnsafePointer<Float>
  let meanGradient: UnsafePointer<Float>
  /// A pixel's share of its image's mean.
  let share: Float
  let totals: UnsafePointer<Float>
  /// The distance of the two totals.
  let channels: Int
  /// Floats to what is read later and fetched now.
  let ahead: Int
  let slab: ChannelSlab
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetch(x + c + ahead)
    L.fetch(gradient + c + ahead)
    let factor = L.load(norm.factor + c)
    let a = L.load(x + c) - L.load(norm.mean + c)
    let slope = F.derivative(L.fma(a, factor, L.load(norm.beta + c)))
    let ofMean = L.load(meanGradient + c) * L(splat: share)
    let dz = L.fma(L.load(gradient + c), L.load(gate + c), ofMean) * slope
    let centered = dz - L.load(totals + c) - a * L.load(totals + channels + c)
    (centered * factor).storeBlocks(target + slab.offset(c), slab.distance)
  }
}
