extension NormalizedMap {
  /// Writes the channels `slab` of some rows to rows of `width` floats, and the activation's
  /// derivatives beside them where they are wanted. The map has no gate.
  func writeSlab(
    first: Int, count: Int, channels: Int, slab: Range<Int>,
    to values: UnsafeMutablePointer<Float>, slopes: UnsafeMutablePointer<Float>? = nil, width: Int
  ) {
    func run<F: PointwiseFunction>(_: F.Type) {
      for row in 0..<count {
        let source = x + (first &+ row) &* channels
        let offset = row &* width &- slab.lowerBound
        if let slopes {
          SlabRowWithSlopes<F>(
            x: source, norm: norm, values: values + offset, slopes: slopes + offset
          ).cover(from: slab.lowerBound, to: slab.upperBound)
        } else {
          GatedNormRow<F>(x: source, norm: norm, gate: nil, target: values + offset)
            .cover(from: slab.lowerBound, to: slab.upperBound)
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

private struct SlabRowWithSlopes<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let values: UnsafeMutablePointer<Float>
  let slopes: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let z = norm.value(L.load(x + c), at: c)
    F.value(z).store(values + c)
    F.derivative(z).store(slopes + c)
  }
}
