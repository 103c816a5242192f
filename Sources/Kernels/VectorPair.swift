/// Two vectors that are computed in turns, operation by operation.
///
/// A long chain of operations, each waiting for the one before, leaves the processor idle; with a
/// second chain between its links it works through nearly twice as much.
struct VectorPair: Lanes {
  private var low: Vector
  private var high: Vector

  @inline(__always) private init(_ low: Vector, _ high: Vector) {
    self.low = low
    self.high = high
  }

  @inline(__always) static var width: Int { 32 }
  @inline(__always) init(splat value: Float) {
    self.init(Vector(repeating: value), Vector(repeating: value))
  }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self {
    Self(Vector.load(pointer), Vector.load(pointer + 16))
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    low.store(pointer)
    high.store(pointer + 16)
  }
  @inline(__always)
  func storeEights(_ pointer: UnsafeMutablePointer<Float>, _ offset: (_ lane: Int) -> Int) {
    low.storeEights(pointer, offset)
    high.storeEights(pointer) { offset($0 &+ 16) }
  }
  @inline(__always)
  static func loadBlocks(_ pointer: UnsafePointer<Float>, _ distance: Int) -> Self {
    Self(Vector.load(pointer), Vector.load(pointer + distance))
  }
  @inline(__always)
  func storeBlocks(_ pointer: UnsafeMutablePointer<Float>, _ distance: Int) {
    low.store(pointer)
    high.store(pointer + distance)
  }
  @inline(__always) static func + (a: Self, b: Self) -> Self {
    Self(a.low + b.low, a.high + b.high)
  }
  @inline(__always) static func - (a: Self, b: Self) -> Self {
    Self(a.low - b.low, a.high - b.high)
  }
  @inline(__always) static func * (a: Self, b: Self) -> Self {
    Self(a.low * b.low, a.high * b.high)
  }
  @inline(__always) static func / (a: Self, b: Self) -> Self {
    Self(a.low / b.low, a.high / b.high)
  }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(Vector.fma(a.low, b.low, c.low), Vector.fma(a.high, b.high, c.high))
  }
  @inline(__always) static func fnma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(Vector.fnma(a.low, b.low, c.low), Vector.fnma(a.high, b.high, c.high))
  }
  @inline(__always) var root: Self { Self(low.root, high.root) }
  @inline(__always) static func larger(_ a: Self, _ b: Self) -> Self {
    Self(Vector.larger(a.low, b.low), Vector.larger(a.high, b.high))
  }
  @inline(__always) static func raise(
    _ largest: inout Self, to value: Self, _ place: inout Self, to position: Self
  ) {
    Vector.raise(&largest.low, to: value.low, &place.low, to: position.low)
    Vector.raise(&largest.high, to: value.high, &place.high, to: position.high)
  }
  @inline(__always) func limited(_ floor: Float, _ ceiling: Float) -> Self {
    Self(low.limited(floor, ceiling), high.limited(floor, ceiling))
  }
  @inline(__always) var powerOfTwo: Self { Self(low.powerOfTwo, high.powerOfTwo) }
  @inline(__always) var roughReciprocal: Self { Self(low.roughReciprocal, high.roughReciprocal) }
}
