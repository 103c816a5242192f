/// output = gelu(x) = x Φ(x) for `count` numbers, with the normal distribution's exact Φ (Hendrycks
/// and Gimpel, arXiv:1606.08415); output may alias x.
public func geluForward(
  _ x: UnsafePointer<Float>, count: Int, output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  flat(count, pool, GeluValues(x: x, output: output))
}

/// inputGradient = outputGradient * gelu'(x); inputGradient may alias outputGradient.
public func geluBackward(
  _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, count: Int,
  inputGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  flat(
    count, pool,
    GeluGradients(x: x, outputGradient: outputGradient, inputGradient: inputGradient))
}

private struct GeluValues: ChannelGroup {
  let x: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    L.fetch(x + i + Ahead.floats)
    let x = L.load(x + i)
    (x * normalDistribution(x)).store(output + i)
  }
}

private struct GeluGradients: ChannelGroup {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let inputGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    L.fetch(x + i + Ahead.floats)
    L.fetch(outputGradient + i + Ahead.floats)
    let x = L.load(x + i)
    // Φ(x) + x φ(x), with φ(x) = exp(-x²/2) / √(2π).
    let density = exponential(x * x * L(splat: -0.5)) * L(splat: 0.398_942_28)
    let slope = L.fma(x, density, normalDistribution(x))
    (L.load(outputGradient + i) * slope).store(inputGradient + i)
  }
}

/// Φ(x) = (1 + erf(x / √2)) / 2.
@inline(__always)
private func normalDistribution<L: Lanes>(_ x: L) -> L {
  L.fma(errorFunction(x * L(splat: 0.707_106_77)), L(splat: 0.5), L(splat: 0.5))
}

/// erf(x), absolute error below 5e-7: the rational approximation that Eigen has in
/// `generic_fast_erf_float`, for x limited to -4 ... 4, beyond which erf rounds to ±1.
@inline(__always)
private func errorFunction<L: Lanes>(_ argument: L) -> L {
  let x = argument.limited(-4, 4)
  let square = x * x
  var p = L(splat: -2.726_142_3e-10)
  p = L.fma(p, square, L(splat: 2.770_681_4e-8))
  p = L.fma(p, square, L(splat: -2.101_024e-6))
  p = L.fma(p, square, L(splat: -5.692_506_4e-5))
  p = L.fma(p, square, L(splat: -7.349_906_3e-4))
  p = L.fma(p, square, L(splat: -2.954_599_8e-3))
  p = L.fma(p, square, L(splat: -1.609_603_3e-2))
  var q = L(splat: -1.456_607_2e-5)
  q = L.fma(q, square, L(splat: -2.133_740_6e-4))
  q = L.fma(q, square, L(splat: -1.682_827e-3))
  q = L.fma(q, square, L(splat: -7.373_329_2e-3))
  q = L.fma(q, square, L(splat: -1.426_473_9e-2))
  return x * p / q
}
