/// Σ over a few pixels of source * gradient for the nine taps of a 3x3 kernel.
struct DepthwiseTaps: ChannelGroup {
  let table: UnsafePointer<RowPointer>
  let gradient: UnsafePointer<Float>
  let pixels: Int
  /// The distance of neighbouring pixels' gradients and of neighbouring taps' sums.
  let channels: Int
  let sums: UnsafeMutablePointer<Float>
  let accumulate: Bool

  /// Two vectors at a time, so that an address is loaded once for both; where registers are narrow
  /// nine sums fill them.
  @inline(__always)
  func coverPairs(from start: Int, to end: Int) {
    if !hasWideRegisters { return coverRegisters(from: start, to: end) }
    var c = start
    while c &+ 32 <= end {
      var low = InlineArray<9, Vector>(repeating: .zero)
      var high = InlineArray<9, Vector>(repeating: .zero)
      if accumulate {
        for tap in 0..<9 {
          low[tap] = Vector.load(sums + (tap &* channels &+ c))
          high[tap] = Vector.load(sums + (tap &* channels &+ c &+ 16))
        }
      }
      var pixel = 0
      while pixel < pixels {
        let first = Vector.load(gradient + (pixel &* channels &+ c))
        let second = Vector.load(gradient + (pixel &* channels &+ c &+ 16))
        for tap in 0..<9 {
          let source = table[tap &* GatherPlan.block &+ pixel] + c
          low[tap].addProduct(Vector.load(source), first)
          high[tap].addProduct(Vector.load(source + 16), second)
        }
        pixel &+= 1
      }
      for tap in 0..<9 {
        low[tap].store(sums + (tap &* channels &+ c))
        high[tap].store(sums + (tap &* channels &+ c &+ 16))
      }
      c &+= 32
    }
    coverNarrow(from: c, to: end)
  }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) { sumTaps(InlineArray<9, Void>.self, L.self, c) }

  @inline(__always)
  func sumTaps<let taps: Int, L: Lanes>(_: InlineArray<taps, Void>.Type, _: L.Type, _ c: Int) {
    var sum = InlineArray<taps, L>(repeating: L(splat: 0))
    if accumulate {
      for tap in 0..<taps { sum[tap] = L.load(sums + (tap &* channels &+ c)) }
    }
    var pixel = 0
    while pixel < pixels {
      let slope = L.load(gradient + (pixel &* channels &+ c))
      for tap in 0..<taps {
        let source = table[tap &* GatherPlan.block &+ pixel] + c
        sum[tap] = L.fma(L.load(source), slope, sum[tap])
      }
      pixel &+= 1
    }
    for tap in 0..<taps { sum[tap].store(sums + (tap &* channels &+ c)) }
  }
}

/// The same for the 25 taps of a 5x5 kernel.
struct DepthwiseTaps25: ChannelGroup {
  let few: DepthwiseTaps

  @inline(__always) init(_ few: DepthwiseTaps) { self.few = few }

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) { few.sumTaps(InlineArray<25, Void>.self, L.self, c) }
}
