/// The function that follows a normalisation.
public enum Activation: Sendable {
  /// f(x) = x.
  case identity
  /// f(x) = x / (1 + e^-x) (Elfwing, Uchibe and Doya 2017; "swish" in EfficientNet).
  case silu
  /// f(x) = 1 / (1 + e^-x).
  case sigmoid
}

/// A function of one number, applied to vectors; a type, so that each kernel is compiled for it.
protocol PointwiseFunction {
  static func value<L: Lanes>(_ x: L) -> L
  /// The derivative at x.
  static func derivative<L: Lanes>(_ x: L) -> L
  /// Both, for less than one after the other.
  static func valueAndDerivative<L: Lanes>(_ x: L) -> (L, L)
}

enum IdentityFunction: PointwiseFunction {
  @inline(__always) static func value<L: Lanes>(_ x: L) -> L { x }
  @inline(__always) static func derivative<L: Lanes>(_ x: L) -> L { L(splat: 1) }
  @inline(__always) static func valueAndDerivative<L: Lanes>(_ x: L) -> (L, L) {
    (x, L(splat: 1))
  }
}

enum SiluFunction: PointwiseFunction {
  @inline(__always) static func value<L: Lanes>(_ x: L) -> L { silu(x) }
  @inline(__always) static func derivative<L: Lanes>(_ x: L) -> L {
    valueAndDerivative(x).1
  }
  @inline(__always) static func valueAndDerivative<L: Lanes>(_ x: L) -> (L, L) {
    // s + x s (1 - s), where x s stays NaN.
    let s = sigmoidOfNumber(x)
    let value = x * s
    return (value, L.fma(value, L(splat: 1) - s, s))
  }
}

enum SigmoidFunction: PointwiseFunction {
  @inline(__always) static func value<L: Lanes>(_ x: L) -> L { sigmoid(x) }
  @inline(__always) static func derivative<L: Lanes>(_ x: L) -> L {
    valueAndDerivative(x).1
  }
  @inline(__always) static func valueAndDerivative<L: Lanes>(_ x: L) -> (L, L) {
    let s = sigmoid(x)
    return (s, s * (L(splat: 1) - s))
  }
}

/// output = silu(x) for `count` numbers; output may alias x.
public func siluForward(
  _ x: UnsafePointer<Float>, count: Int, output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  flat(count, pool, SiluValues(x: x, output: output))
}

private struct SiluValues: ChannelGroup {
  let x: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    SiluFunction.value(L.load(x + i)).store(output + i)
  }
}

/// inputGradient = outputGradient * silu'(x); inputGradient may alias outputGradient.
public func siluBackward(
  _ x: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>, count: Int,
  inputGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  flat(
    count, pool,
    SiluGradients(x: x, outputGradient: outputGradient, inputGradient: inputGradient))
}

private struct SiluGradients: ChannelGroup {
  let x: UnsafePointer<Float>
  let outputGradient: UnsafePointer<Float>
  let inputGradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let slope = SiluFunction.derivative(L.load(x + i))
    (L.load(outputGradient + i) * slope).store(inputGradient + i)
  }
}

/// output = 1 / (1 + e^-x) for `count` numbers; output may alias x.
public func sigmoidForward(
  _ x: UnsafePointer<Float>, count: Int, output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  flat(count, pool, SigmoidValues(x: x, output: output))
}

private struct SigmoidValues: ChannelGroup {
  let x: UnsafePointer<Float>
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    sigmoid(L.load(x + i)).store(output + i)
  }
}

/// In place, the gradients of what sigmoids are taken of from those of the sigmoids y: times y (1 - y).
struct SigmoidSlopes: ChannelGroup {
  let y: UnsafePointer<Float>
  let gradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) {
    let y = L.load(y + i)
    (L.load(gradient + i) * (y * (L(splat: 1) - y))).store(gradient + i)
  }
}
