// The inner loops of depthwise convolutions in training. A plane's sixteen channels are one register,
// or two where registers are narrow. As with the dense microkernels, generic bodies and their uses
// stay in one file.

/// Sums over taps for the targets of a plane.
struct PlaneSums {
  let pass: DepthwisePass.Addresses
  /// The plane of sources.
  let source: UnsafePointer<Float>
  let target: PlaneTarget
  /// The first kernel tap's weights for the plane's channels; the next tap's are `pitch` floats on.
  let weights: UnsafePointer<Float>
  let pitch: Int

  /// Stores the sums of the first `count` targets, each times a factor.
  @inline(never)
  func run(_ count: Int, factors: UnsafePointer<Float>) {
    if hasWideRegisters {
      scale(count, factors, Vector.self, lane: 0)
    } else {
      scale(count, factors, SIMD8<Float>.self, lane: 0)
      scale(count, factors, SIMD8<Float>.self, lane: 8)
    }
  }

  /// The same, and adds what was stored to `totals` [2][16], by itself and times x - mean; x lies like
  /// the target.
  @inline(never)
  func run(
    _ count: Int, factors: UnsafePointer<Float>, x: UnsafePointer<Float>,
    mean: UnsafePointer<Float>, totals: UnsafeMutablePointer<Float>
  ) {
    if hasWideRegisters {
      total(count, factors, x, mean, totals, Vector.self, lane: 0)
    } else {
      total(count, factors, x, mean, totals, SIMD8<Float>.self, lane: 0)
      total(count, factors, x, mean, totals, SIMD8<Float>.self, lane: 8)
    }
  }

  /// Stores the sums of the first `count` targets, and adds to `moments` [3][16] what `MomentSums`
  /// keeps of them: the pivots, which are the first sums' mean where the moments begin with these
  /// sums, and what the sums are apart from them.
  @inline(never)
  func run(_ count: Int, moments: UnsafeMutablePointer<Float>, isFirst: Bool) {
    if hasWideRegisters {
      measure(count, moments, isFirst, Vector.self, lane: 0)
    } else {
      measure(count, moments, isFirst, SIMD8<Float>.self, lane: 0)
      measure(count, moments, isFirst, SIMD8<Float>.self, lane: 8)
    }
  }

  @inline(__always)
  private func scale<L: Lanes>(
    _ count: Int, _ factors: UnsafePointer<Float>, _: L.Type, lane: Int
  ) {
    var store = ProductStore<L>(target: target.base, factors: factors)
    walk(count, lane, &store)
  }

  @inline(__always)
  private func total<L: Lanes>(
    _ count: Int, _ factors: UnsafePointer<Float>, _ x: UnsafePointer<Float>,
    _ mean: UnsafePointer<Float>, _ totals: UnsafeMutablePointer<Float>, _: L.Type, lane: Int
  ) {
    var store = TotalStore<L>(target: target, factors: factors, x: x, mean: L.load(mean + lane))
    walk(count, lane, &store)
    let totals = totals + lane
    let (sum, product) = (store.sums.sum, store.sums.product)
    (L.load(totals) + (sum.0 + sum.1)).store(totals)
    (L.load(totals + 16) + (product.0 + product.1)).store(totals + 16)
  }

  @inline(__always)
  private func measure<L: Lanes>(
    _ count: Int, _ moments: UnsafeMutablePointer<Float>, _ isFirst: Bool, _: L.Type, lane: Int
  ) {
    let moments = moments + lane
    if isFirst {
      let few = min(8, count)
      var store = SumStore<L>(target: target)
      walk(few, lane, &store)
      var sum = L(splat: 0)
      for i in 0..<few { sum = sum + L.load(target.pixel(Int(pass.targets[i])) + lane) }
      (sum * L(splat: 1 / Float(few))).store(moments)
      L(splat: 0).store(moments + 16)
      L(splat: 0).store(moments + 32)
    }
    var store = MomentStore<L>(target: target, pivot: L.load(moments))
    walk(count, lane, &store)
    let (sum, square) = (store.sums.sum, store.sums.product)
    (L.load(moments + 16) + sum.0 + sum.1).store(moments + 16)
    (L.load(moments + 32) + square.0 + square.1).store(moments + 32)
  }

  /// Neighbours in a row share what is read of the source where that is known of a pass; otherwise eight
  /// targets at a time share what is read of a tap.
  @inline(__always)
  private func walk<Store: TileStore>(_ count: Int, _ lane: Int, _ store: inout Store) {
    switch hasWideRegisters ? pass.run : 0 {
    case 7: walkRuns(InlineArray<7, Void>.self, InlineArray<9, Void>.self, count, lane, &store)
    case 4: walkRuns(InlineArray<4, Void>.self, InlineArray<6, Void>.self, count, lane, &store)
    case 2: walkRuns(InlineArray<2, Void>.self, InlineArray<4, Void>.self, count, lane, &store)
    default: walkTiles(count, lane, &store)
    }
  }

  @inline(__always)
  private func walkTiles<Store: TileStore>(_ count: Int, _ lane: Int, _ store: inout Store) {
    var first = 0
    while first &+ 8 <= count {
      tile(InlineArray<8, Void>.self, first, lane, &store)
      first &+= 8
    }
    if first &+ 4 <= count {
      tile(InlineArray<4, Void>.self, first, lane, &store)
      first &+= 4
    }
    while first < count {
      tile(InlineArray<1, Void>.self, first, lane, &store)
      first &+= 1
    }
  }

  /// `size` neighbours at a time of a 3x3 kernel that moves by one pixel: they reach `size` + 2 columns.
  /// The last run is computed whole; targets are whole runs.
  @inline(__always)
  private func walkRuns<let size: Int, let reach: Int, Store: TileStore>(
    _: InlineArray<size, Void>.Type, _: InlineArray<reach, Void>.Type, _ count: Int, _ lane: Int,
    _ store: inout Store
  ) {
    typealias L = Store.L
    let zero = L(splat: 0)
    var kernel = InlineArray<9, L>(repeating: zero)
    for tap in 0..<9 { kernel[tap] = L.load(weights + (pass.grid[tap] &* pitch &+ lane)) }
    let source = source + (pass.corner &+ lane)
    let rowPitch = pass.rowPitch
    var first = 0
    while first < count {
      var row = source + Int(pass.sources[first])
      var sums = InlineArray<size, L>(repeating: zero)
      for r in 0..<3 {
        var values = InlineArray<reach, L>(repeating: zero)
        for i in 0..<reach { values[i] = L.load(row + i &* 16) }
        for c in 0..<3 {
          for i in 0..<size { sums[i] = L.fma(values[i &+ c], kernel[r &* 3 &+ c], sums[i]) }
        }
        row += rowPitch
      }
      let target = Int(pass.targets[first])
      for i in 0..<size { store.put(sums[i], pixel: target &+ i, lane: lane, index: i) }
      first &+= size
    }
  }

  @inline(__always)
  private func tile<let size: Int, Store: TileStore>(
    _: InlineArray<size, Void>.Type, _ first: Int, _ lane: Int, _ store: inout Store
  ) {
    typealias L = Store.L
    let places = pass.sources + first
    let bases = InlineArray<size, RowPointer> { source + (Int(places[$0]) &+ lane) }
    let (taps, offsets) = (pass.taps, pass.offsets)
    let weights = weights + lane
    var sums = InlineArray<size, L>(repeating: L(splat: 0))
    for tap in 0..<pass.tapCount {
      let offset = offsets[tap]
      let weight = L.load(weights + taps[tap] &* pitch)
      for i in 0..<size { sums[i] = L.fma(L.load(bases[i] + offset), weight, sums[i]) }
    }
    let targets = pass.targets + first
    for i in 0..<size { store.put(sums[i], pixel: Int(targets[i]), lane: lane, index: i) }
  }
}

/// Where the sums of a plane go: a plane of a slab, or sixteen channels of a map.
struct PlaneTarget {
  let base: UnsafeMutablePointer<Float>
  /// Floats from pixel to pixel.
  var pitch = 16
  /// Floats to the line of a pixel that is written next, for the next plane.
  var ahead = 0

  @inline(__always)
  func pixel(_ index: Int) -> UnsafeMutablePointer<Float> { base + index &* pitch }
}

/// What becomes of the sum of a tile's target i.
private protocol TileStore {
  associatedtype L: Lanes
  mutating func put(_ sum: L, pixel: Int, lane: Int, index: Int)
}

private struct SumStore<L: Lanes>: TileStore {
  let target: PlaneTarget

  @inline(__always)
  mutating func put(_ sum: L, pixel: Int, lane: Int, index: Int) {
    sum.store(target.pixel(pixel) + lane)
  }
}

private struct ProductStore<L: Lanes>: TileStore {
  let target: UnsafeMutablePointer<Float>
  let factors: UnsafePointer<Float>

  @inline(__always)
  mutating func put(_ sum: L, pixel: Int, lane: Int, index: Int) {
    let place = pixel &* 16 &+ lane
    (sum * L.load(factors + place)).store(target + place)
  }
}

/// Sums of numbers and of their products with others, in two chains each.
private struct PairedSums<L: Lanes> {
  private(set) var sum = (L(splat: 0), L(splat: 0))
  private(set) var product = (L(splat: 0), L(splat: 0))

  /// Adds the tile's number i, a, and a * b.
  @inline(__always)
  mutating func add(_ a: L, times b: L, index: Int) {
    if index & 1 == 0 {
      sum.0 = sum.0 + a
      product.0 = L.fma(a, b, product.0)
    } else {
      sum.1 = sum.1 + a
      product.1 = L.fma(a, b, product.1)
    }
  }
}

/// Stores products and adds them up, by themselves and times x - mean.
private struct TotalStore<L: Lanes>: TileStore {
  let target: PlaneTarget
  let factors: UnsafePointer<Float>
  let x: UnsafePointer<Float>
  let mean: L
  var sums = PairedSums<L>()

  @inline(__always)
  mutating func put(_ sum: L, pixel: Int, lane: Int, index: Int) {
    let place = target.pixel(pixel) + lane
    L.fetchToWrite(place + target.ahead)
    let value = sum * L.load(factors + (pixel &* 16 &+ lane))
    let distance = L.load(x + (pixel &* target.pitch &+ lane)) - mean
    value.store(place)
    sums.add(value, times: distance, index: index)
  }
}

/// Stores sums and adds up what they are apart from a pivot, and its square.
private struct MomentStore<L: Lanes>: TileStore {
  let target: PlaneTarget
  let pivot: L
  var sums = PairedSums<L>()

  @inline(__always)
  mutating func put(_ sum: L, pixel: Int, lane: Int, index: Int) {
    let place = target.pixel(pixel) + lane
    L.fetchToWrite(place + target.ahead)
    sum.store(place)
    // sum - pivot: of a plain difference the compiler makes a dozen shuffles here.
    let distance = L.fnma(pivot, L(splat: 1), sum)
    sums.add(distance, times: distance, index: index)
  }
}

/// The gradient of a plane's weights: for every tap Σ source * gradient over the output's pixels.
struct PlaneWeightSums {
  /// The plane of the input, and each output pixel's place in it (of the tap at offset 0).
  let source: UnsafePointer<Float>
  let sources: UnsafePointer<Int32>
  /// Floats from that place to the first tap, and between kernel rows.
  let start: Int
  let pitch: Int
  /// The output's gradient and its pixels.
  let gradient: UnsafePointer<Float>
  let pixels: UnsafePointer<Int32>
  let count: Int
  /// The neighbours in a row that are read together, as a pass has them.
  let run: Int
  /// [tap][16]; the sums begin with zero, or with what is there.
  let sums: UnsafeMutablePointer<Float>
  let isFirst: Bool

  /// Adds the sums of a 3x3 kernel.
  @inline(never)
  func run3() {
    if hasWideRegisters {
      switch run {
      case 7: addRuns(InlineArray<7, Void>.self, InlineArray<9, Void>.self)
      case 4: addRuns(InlineArray<4, Void>.self, InlineArray<6, Void>.self)
      case 2: addRuns(InlineArray<2, Void>.self, InlineArray<4, Void>.self)
      default:
        add(InlineArray<3, Void>.self, InlineArray<3, Void>.self, Vector.self, row: 0, lane: 0)
      }
    } else {
      for lane in [0, 8] {
        add(
          InlineArray<3, Void>.self, InlineArray<3, Void>.self, SIMD8<Float>.self, row: 0,
          lane: lane)
      }
    }
  }

  /// Adds the sums of a 5x5 kernel; where registers are few, those of two or one of its rows.
  @inline(never)
  func run5() {
    if hasWideRegisters {
      add(InlineArray<5, Void>.self, InlineArray<5, Void>.self, Vector.self, row: 0, lane: 0)
    } else {
      for lane in [0, 8] {
        for row in [0, 2] {
          add(
            InlineArray<2, Void>.self, InlineArray<5, Void>.self, SIMD8<Float>.self, row: row,
            lane: lane)
        }
        add(
          InlineArray<1, Void>.self, InlineArray<5, Void>.self, SIMD8<Float>.self, row: 4,
          lane: lane)
      }
    }
  }

  /// The sums of a 3x3 kernel over `size` neighbours at a time, which reach `size` + 2 columns.
  @inline(__always)
  private func addRuns<let size: Int, let reach: Int>(
    _: InlineArray<size, Void>.Type, _: InlineArray<reach, Void>.Type
  ) {
    let source = source + start
    var total = InlineArray<9, Vector>(repeating: .zero)
    if !isFirst {
      for tap in 0..<9 { total[tap] = Vector.load(sums + tap &* 16) }
    }
    var first = 0
    while first < count {
      let slopes = gradient + Int(pixels[first])
      var row = source + Int(sources[first])
      for r in 0..<3 {
        var values = InlineArray<reach, Vector>(repeating: .zero)
        for i in 0..<reach { values[i] = Vector.load(row + i &* 16) }
        for i in 0..<size {
          let slope = Vector.load(slopes + i &* 16)
          for c in 0..<3 {
            total[r &* 3 &+ c] = Vector.fma(values[i &+ c], slope, total[r &* 3 &+ c])
          }
        }
        row += pitch
      }
      first &+= size
    }
    for tap in 0..<9 { total[tap].store(sums + tap &* 16) }
  }

  @inline(__always)
  private func add<let rows: Int, let columns: Int, L: Lanes>(
    _: InlineArray<rows, Void>.Type, _: InlineArray<columns, Void>.Type, _: L.Type, row: Int,
    lane: Int
  ) {
    let target = sums + (row &* columns &* 16 &+ lane)
    let source = source + (start &+ row &* pitch &+ lane)
    let gradient = gradient + lane
    var total = InlineArray<rows, InlineArray<columns, L>>(
      repeating: InlineArray<columns, L>(repeating: L(splat: 0)))
    if !isFirst {
      for r in 0..<rows {
        for c in 0..<columns { total[r][c] = L.load(target + (r &* columns &+ c) &* 16) }
      }
    }
    for pixel in 0..<count {
      let slope = L.load(gradient + Int(pixels[pixel]))
      let place = source + Int(sources[pixel])
      for r in 0..<rows {
        let values = place + r &* pitch
        for c in 0..<columns {
          total[r][c] = L.fma(L.load(values + c &* 16), slope, total[r][c])
        }
      }
    }
    for r in 0..<rows {
      for c in 0..<columns { total[r][c].store(target + (r &* columns &+ c) &* 16) }
    }
  }
}
