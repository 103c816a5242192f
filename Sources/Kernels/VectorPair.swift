/// Two vectors that are computed in turns, operation by operation.
///
/// A long chain of operations, each waiting for the one before, leaves the processor idle; with a
/// second chain between its links it works through nearly twice as much.
typealias VectorPair = Twice<Vector>
/// Four vectors, for the longest chains: the operations that wait for a link fill the processor's
/// queue before the next chain begins.
typealias VectorQuad = Twice<VectorPair>

/// Lanes in two halves.
struct Twice<Half: Lanes>: Lanes {
  private var low: Half
  private var high: Half

  @inline(__always) private init(_ low: Half, _ high: Half) {
    self.low = low
    self.high = high
  }

  @inline(__always) static var width: Int { 2 &* Half.width }
  @inline(__always) init(splat value: Float) {
    self.init(Half(splat: value), Half(splat: value))
  }
  @inline(__always) static func load(_ pointer: UnsafePointer<Float>) -> Self {
    Self(Half.load(pointer), Half.load(pointer + Half.width))
  }
  @inline(__always) static func fetch(_ pointer: UnsafePointer<Float>) {
    Half.fetch(pointer)
    Half.fetch(pointer + Half.width)
  }
  @inline(__always) static func fetchToWrite(_ pointer: UnsafeMutablePointer<Float>) {
    Half.fetchToWrite(pointer)
    Half.fetchToWrite(pointer + Half.width)
  }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) {
    low.store(pointer)
    high.store(pointer + Half.width)
  }
  @inline(__always)
  func storeEights(_ pointer: UnsafeMutablePointer<Float>, _ offset: (_ lane: Int) -> Int) {
    low.storeEights(pointer, offset)
    high.storeEights(pointer) { offset($0 &+ Half.width) }
  }
  @inline(__always)
  func storeBlocks(_ pointer: UnsafeMutablePointer<Float>, _ distance: Int) {
    low.storeBlocks(pointer, distance)
    high.storeBlocks(pointer + Half.width / 16 &* distance, distance)
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
    Self(Half.fma(a.low, b.low, c.low), Half.fma(a.high, b.high, c.high))
  }
  @inline(__always) static func fnma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(Half.fnma(a.low, b.low, c.low), Half.fnma(a.high, b.high, c.high))
  }
  @inline(__always) var root: Self { Self(low.root, high.root) }
  @inline(__always) static func larger(_ a: Self, _ b: Self) -> Self {
    Self(Half.larger(a.low, b.low), Half.larger(a.high, b.high))
  }
  @inline(__always) static func raise(
    _ largest: inout Self, to value: Self, _ place: inout Self, to position: Self
  ) {
    Half.raise(&largest.low, to: value.low, &place.low, to: position.low)
    Half.raise(&largest.high, to: value.high, &place.high, to: position.high)
  }
  @inline(__always) func limited(_ floor: Float, _ ceiling: Float) -> Self {
    Self(low.limited(floor, ceiling), high.limited(floor, ceiling))
  }
  @inline(__always) func limited(_ limit: Float) -> Self {
    Self(low.limited(limit), high.limited(limit))
  }
  @inline(__always) var powerOfTwo: Self { Self(low.powerOfTwo, high.powerOfTwo) }
}
