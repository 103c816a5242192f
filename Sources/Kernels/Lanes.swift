internal import CProcessor

/// Sixteen floats: one AVX-512 register, two AVX2 registers, four NEON registers.
typealias Vector = SIMD16<Float>

/// The widths in which a row of channels is walked: 16 lanes, then 8, then single floats.
///
/// Kernels write their body once, generic over this protocol; the operations are requirements, so
/// that the specialised body uses the concrete vector instructions.
protocol Lanes {
  static var width: Int { get }
  init(splat value: Float)
  static func load(_ pointer: UnsafePointer<Float>) -> Self
  func store(_ pointer: UnsafeMutablePointer<Float>)
  /// Stores eight lanes at a time, `distance` floats apart.
  func storeEights(_ pointer: UnsafeMutablePointer<Float>, distance: Int)
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  /// a * b + c with one rounding.
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
  /// The square root, correctly rounded.
  var root: Self { get }
  /// The larger of two numbers, lane by lane.
  static func larger(_ a: Self, _ b: Self) -> Self
  /// Replaces, lane by lane, the largest number so far and its place where a number is larger or is
  /// none.
  static func raise(
    _ largest: inout Self, to value: Self, _ place: inout Self, to position: Self)
  /// The value limited to low ... high; NaN stays NaN.
  func limited(_ low: Float, _ high: Float) -> Self
  /// 2 to the power of the integer in the low bits of a float near 1.5 * 2^23.
  var powerOfTwo: Self { get }
}

extension Lanes {
  @inline(__always) func storeEights(_ pointer: UnsafeMutablePointer<Float>, distance: Int) {
    store(pointer)
  }
  @inline(__always) static func load(_ pointer: UnsafeMutablePointer<Float>) -> Self {
    load(UnsafePointer(pointer))
  }
}

extension SIMD16<Float>: Lanes {
  @inline(__always) static var width: Int { 16 }
  @inline(__always) init(splat value: Float) { self.init(repeating: value) }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self {
    UnsafeRawPointer(pointer).loadUnaligned(as: Self.self)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Self.self)
  }
  @inline(__always) func storeEights(_ pointer: UnsafeMutablePointer<Float>, distance: Int) {
    lowHalf.store(pointer)
    highHalf.store(pointer + distance)
  }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    c.addingProduct(a, b)
  }
  @inline(__always) var root: Self { processor_roots16(self) }
  @inline(__always) static func larger(_ a: Self, _ b: Self) -> Self {
    a.replacing(with: b, where: b .> a)
  }
  @inline(__always) static func raise(
    _ largest: inout Self, to value: Self, _ place: inout Self, to position: Self
  ) {
    let isRaised = (value .> largest) .| (value .!= value)
    largest.replace(with: value, where: isRaised)
    place.replace(with: position, where: isRaised)
  }
  @inline(__always) func limited(_ low: Float, _ high: Float) -> Self {
    let floor = Self(repeating: low)
    let ceiling = Self(repeating: high)
    let raised = replacing(with: floor, where: self .< floor)
    return raised.replacing(with: ceiling, where: raised .> ceiling)
  }
  @inline(__always) var powerOfTwo: Self {
    let bits = unsafeBitCast(self, to: SIMD16<Int32>.self)
    let shift = SIMD16<Int32>(repeating: 23)
    return unsafeBitCast((bits &+ SIMD16<Int32>(repeating: 127)) &<< shift, to: Self.self)
  }
}

extension SIMD8<Float>: Lanes {
  @inline(__always) static var width: Int { 8 }
  @inline(__always) init(splat value: Float) { self.init(repeating: value) }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self {
    UnsafeRawPointer(pointer).loadUnaligned(as: Self.self)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Self.self)
  }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    c.addingProduct(a, b)
  }
  @inline(__always) var root: Self { processor_roots8(self) }
  @inline(__always) static func larger(_ a: Self, _ b: Self) -> Self {
    a.replacing(with: b, where: b .> a)
  }
  @inline(__always) static func raise(
    _ largest: inout Self, to value: Self, _ place: inout Self, to position: Self
  ) {
    let isRaised = (value .> largest) .| (value .!= value)
    largest.replace(with: value, where: isRaised)
    place.replace(with: position, where: isRaised)
  }
  @inline(__always) func limited(_ low: Float, _ high: Float) -> Self {
    let floor = Self(repeating: low)
    let ceiling = Self(repeating: high)
    let raised = replacing(with: floor, where: self .< floor)
    return raised.replacing(with: ceiling, where: raised .> ceiling)
  }
  @inline(__always) var powerOfTwo: Self {
    let bits = unsafeBitCast(self, to: SIMD8<Int32>.self)
    let shift = SIMD8<Int32>(repeating: 23)
    return unsafeBitCast((bits &+ SIMD8<Int32>(repeating: 127)) &<< shift, to: Self.self)
  }
}

extension Float: Lanes {
  @inline(__always) static var width: Int { 1 }
  @inline(__always) init(splat value: Float) { self = value }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self { pointer.pointee }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) { pointer.pointee = self }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    c.addingProduct(a, b)
  }
  @inline(__always) var root: Self { squareRoot() }
  @inline(__always) static func larger(_ a: Self, _ b: Self) -> Self { a < b ? b : a }
  @inline(__always) static func raise(
    _ largest: inout Self, to value: Self, _ place: inout Self, to position: Self
  ) {
    if value > largest || value.isNaN { (largest, place) = (value, position) }
  }
  @inline(__always) func limited(_ low: Float, _ high: Float) -> Self {
    self < low ? low : (self > high ? high : self)
  }
  @inline(__always) var powerOfTwo: Self {
    Float(bitPattern: (bitPattern &+ 127) &<< 23)
  }
}

/// e to the power of x, relative error below 2e-7, for x limited to -87 ... 88; NaN stays NaN.
///
/// Range reduction by ln 2 in two parts and a polynomial of degree 5 (Moshier, Cephes `expf`).
@inline(__always)
func exponential<L: Lanes>(_ argument: L) -> L {
  let x = argument.limited(-87, 88)
  let magic = L(splat: 12_582_912)
  let shifted = L.fma(x, L(splat: 1.442_695_04), magic)
  let n = shifted - magic
  var r = L.fma(n, L(splat: -0.693_359_375), x)
  r = L.fma(n, L(splat: 2.121_944_4e-4), r)
  var p = L(splat: 1.987_569_15e-4)
  p = L.fma(p, r, L(splat: 1.398_199_95e-3))
  p = L.fma(p, r, L(splat: 8.333_451_9e-3))
  p = L.fma(p, r, L(splat: 4.166_579_6e-2))
  p = L.fma(p, r, L(splat: 1.666_666_55e-1))
  p = L.fma(p, r, L(splat: 0.5))
  p = L.fma(p, r * r, r) + L(splat: 1)
  return p * shifted.powerOfTwo
}

/// 1 / (1 + e^-x).
@inline(__always)
func sigmoid<L: Lanes>(_ x: L) -> L {
  let one = L(splat: 1)
  return one / (one + exponential(L(splat: 0) - x))
}
