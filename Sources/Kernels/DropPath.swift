// Stochastic depth (Huang et al., arXiv:1603.09382): a block's branch is multiplied by a factor of
// each image, 0 or 1 / (1 - rate), before its input is added.

/// output = input + factor * (output - input), where output [images, elements] is input + branch and
/// there is a factor for each image.
public func dropPathForward(
  input: UnsafePointer<Float>, factors: UnsafePointer<Float>, images: Int, elements: Int,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  pool.run(images) { image in
    let offset = image * elements
    ScaledBranch(input: input + offset, factor: factors[image], output: output + offset)
      .cover(elements)
  }
}

/// Splits the gradient of the output: `gradient` becomes factor * gradient, what goes through the
/// branch and past it, and `rest` (1 - factor) * gradient, what must be added to it in the end.
public func dropPathBackward(
  factors: UnsafePointer<Float>, images: Int, elements: Int,
  gradient: UnsafeMutablePointer<Float>, rest: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  pool.run(images) { image in
    let offset = image * elements
    SplitGradient(factor: factors[image], gradient: gradient + offset, rest: rest + offset)
      .cover(elements)
  }
}

private struct ScaledBranch: ChannelGroup {
  let input: UnsafePointer<Float>
  let factor: Float
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let x = L.load(input + i)
    L.fma(L.load(output + i) - x, L(splat: factor), x).store(output + i)
  }
}

private struct SplitGradient: ChannelGroup {
  let factor: Float
  let gradient: UnsafeMutablePointer<Float>
  let rest: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let whole = L.load(gradient + i)
    (whole * L(splat: factor)).store(gradient + i)
    (whole * L(splat: 1 - factor)).store(rest + i)
  }
}
