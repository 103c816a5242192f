internal import CProcessor

/// Sixteen floats: one AVX-512 register, two AVX2 registers, four NEON registers.
typealias Vector = SIMD16<Float>

/// The widths in which a row of channels is walked: 32 lanes, 16, 8, then single floats.
///
/// Kernels write their body once, generic over this protocol; the operations are requirements, so
/// that the specialised body uses the concrete vector instructions.
protocol Lanes {
  static var width: Int { get }
  init(splat value: Float)
  static func load(_ pointer: UnsafePointer<Float>) -> Self
  func store(_ pointer: UnsafeMutablePointer<Float>)
  /// Asks the cache for the lines of some lanes, which are read soon; any address may be asked for.
  static func fetch(_ pointer: UnsafePointer<Float>)
  static func fetchToWrite(_ pointer: UnsafeMutablePointer<Float>)
  /// Stores eight lanes at a time: those from `lane` on at offset(lane) of the pointer.
  func storeEights(_ pointer: UnsafeMutablePointer<Float>, _ offset: (_ lane: Int) -> Int)
  /// Stores sixteen lanes at a time, `distance` floats apart.
  func storeBlocks(_ pointer: UnsafeMutablePointer<Float>, _ distance: Int)
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  /// a * b + c with one rounding.
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
  /// c - a * b with one rounding.
  static func fnma(_ a: Self, _ b: Self, _ c: Self) -> Self
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
  /// The value limited to -limit ... limit; what is no number may become one of them.
  func limited(_ limit: Float) -> Self
  /// 2 to the power of n / `powerSteps`, where the low bits of a float near 1.5 * 2^23 / `powerSteps`
  /// are the integer n + 127 `powerSteps`.
  var powerOfTwo: Self { get }
}

extension Lanes {
  @inline(__always) static func fetch(_ pointer: UnsafePointer<Float>) {
    processor_prefetch(pointer)
  }
  @inline(__always) static func fetchToWrite(_ pointer: UnsafeMutablePointer<Float>) {
    processor_prefetch_to_write(pointer)
  }
  @inline(__always)
  func storeEights(_ pointer: UnsafeMutablePointer<Float>, _ offset: (_ lane: Int) -> Int) {
    store(pointer + offset(0))
  }
  @inline(__always)
  func storeBlocks(_ pointer: UnsafeMutablePointer<Float>, _ distance: Int) { store(pointer) }
  /// The sum of some copies, `distance` floats apart, in order.
  @inline(__always)
  static func sum(_ first: UnsafePointer<Float>, copies: Int, distance: Int) -> Self {
    var sum = load(first)
    var copy = first
    for _ in 1..<max(1, copies) {
      copy += distance
      sum = sum + load(copy)
    }
    return sum
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
  @inline(__always)
  func storeEights(_ pointer: UnsafeMutablePointer<Float>, _ offset: (_ lane: Int) -> Int) {
    lowHalf.store(pointer + offset(0))
    highHalf.store(pointer + offset(8))
  }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    processor_fma16(a, b, c)
  }
  @inline(__always) static func fnma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    processor_fnma16(a, b, c)
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
  @inline(__always) func limited(_ limit: Float) -> Self { processor_limited16(self, limit) }
  @inline(__always) var powerOfTwo: Self { processor_powers16(self) }
}

// The library's `sum` and `max` go lane by lane, the latter with a branch for each.
extension SIMD16<Float> {
  /// The sum of all lanes, half by half.
  @inline(__always) var total: Float {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two[0] + two[1]
  }

  /// The largest of all lanes that is a number.
  @inline(__always) var top: Float {
    let eight = SIMD8.larger(lowHalf, highHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
    return Float.larger(two[0], two[1])
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
    processor_fma8(a, b, c)
  }
  @inline(__always) static func fnma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    processor_fnma8(a, b, c)
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
  @inline(__always) func limited(_ limit: Float) -> Self { widened.limited(limit).lowHalf }
  @inline(__always) var powerOfTwo: Self { widened.powerOfTwo.lowHalf }
  @inline(__always) private var widened: Vector { Vector(lowHalf: self, highHalf: self) }
}

extension Float: Lanes {
  @inline(__always) static var width: Int { 1 }
  @inline(__always) init(splat value: Float) { self = value }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self { pointer.pointee }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) { pointer.pointee = self }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    c.addingProduct(a, b)
  }
  @inline(__always) static func fnma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    c.addingProduct(-a, b)
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
  @inline(__always) func limited(_ limit: Float) -> Self { limited(-limit, limit) }
  @inline(__always) var powerOfTwo: Self { Vector(repeating: self).powerOfTwo[0] }
}
