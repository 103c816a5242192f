extension NormalizedMap {
  /// Writes the channels of some rows to the pixels of a slab that begins with the first of these
  /// channels, and the activation's derivatives to another where they are wanted. The map has no gate.
  func writeSlab(
    first: Int, count: Int, channels: Int, slab: Range<Int>, to values: ChannelSlab,
    slopes: ChannelSlab? = nil
  ) {
    func run<F: PointwiseFunction>(_: F.Type) {
      let start = slab.lowerBound
      let norm = norm.from(start)
      for row in 0..<count {
        let source = x + ((first &+ row) &* channels &+ start)
        if let slopes {
          SlabRowWithSlopes<F>(
            x: source, norm: norm, slab: values, target: values.pixel(row), slopeSlab: slopes,
            slopes: slopes.pixel(row)
          ).coverChains(slab.count)
        } else {
          SlabRow<F>(x: source, norm: norm, slab: values, target: values.pixel(row))
            .coverChains(slab.count)
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

private struct SlabRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let slab: ChannelSlab
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    F.value(norm.value(L.load(x + c), at: c)).storeBlocks(target + slab.offset(c), slab.distance)
  }
}

private struct SlabRowWithSlopes<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let slab: ChannelSlab
  let target: UnsafeMutablePointer<Float>
  let slopeSlab: ChannelSlab
  let slopes: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let z = norm.value(L.load(x + c), at: c)
    F.value(z).storeBlocks(target + slab.offset(c), slab.distance)
    F.derivative(z).storeBlocks(slopes + slopeSlab.offset(c), slopeSlab.distance)
  }
}
