internal import CProcessor

// The inner loops of the products of tiles. As in Microkernels.swift, sums fill the registers, and the
// generic bodies stay in one file with what calls them, where every build mode specialises them. The
// numbers of a tile lie a cache line from those of the next, at a distance that is known when this is
// compiled: no register holds an address of a row, and a short sum costs little more than its products.

/// Where the channels of a block's tiles lie: [channels / 16][tile][16].
struct TileLines {
  let tiles: Int

  /// The floats of so many channels.
  @inline(__always) func count(_ channels: Int) -> Int { (channels &+ 15) / 16 &* (tiles &* 16) }

  /// Where a channel of a tile is. Channels up to the next multiple of 16 follow.
  @inline(__always) func place(tile: Int, channel: Int) -> Int {
    (channel &>> 4 &* tiles &+ tile) &* 16 &+ channel & 15
  }
}

/// Rows and columns of sums that are held in registers.
private struct Sums<let height: Int, let vectors: Int> {}

/// A product of tiles and a panel of filters: target [tile][vectors * 16] = values * weights.
struct TileProduct {
  var values: UnsafePointer<Float>
  let lines: TileLines
  /// Channels to sum over.
  let depth: Int
  /// The filters, [depth][vectors * 16].
  let weights: UnsafePointer<Float>
  var target: UnsafeMutablePointer<Float>
  /// What is fetched into the cache meanwhile, `aheadStep` bytes on for each channel.
  var ahead: UnsafeRawPointer
  let aheadStep: Int

  /// How many tiles beyond the last may be read and written.
  static let overhang = 7

  /// How many tiles are computed at a time, at least and at most. A sum has four cycles to wait for
  /// the one before; of too many sums the compiler keeps a copy in memory.
  @inline(__always)
  private static func heights(_ vectors: Int) -> (least: Int, most: Int) {
    if !hasWideRegisters || vectors == 4 { return (3, 6) }
    return vectors == 1 ? (8, 14) : (5, 9)
  }

  /// How many times the channels are walked for so many tiles.
  @inline(__always)
  static func passes(_ tiles: Int, vectors: Int) -> Int {
    let most = heights(vectors).most
    return (tiles &+ most &- 1) / most
  }

  /// Computes all tiles, equally many at a time.
  mutating func run(vectors: Int) {
    let passes = Self.passes(lines.tiles, vectors: vectors)
    let (low, higher) = lines.tiles.quotientAndRemainder(dividingBy: passes)
    let least = Self.heights(vectors).least
    if low < least { return run(height: least, vectors, passes) }
    if higher > 0 { run(height: low &+ 1, vectors, higher) }
    run(height: low, vectors, passes &- higher)
  }

  private mutating func run(height: Int, _ vectors: Int, _ passes: Int) {
    switch (vectors, height) {
    case (4, 6): run(Sums<6, 4>(), passes)
    case (4, 5): run(Sums<5, 4>(), passes)
    case (4, 4): run(Sums<4, 4>(), passes)
    case (4, _): run(Sums<3, 4>(), passes)
    case (3, 9): run(Sums<9, 3>(), passes)
    case (3, 8): run(Sums<8, 3>(), passes)
    case (3, 7): run(Sums<7, 3>(), passes)
    case (3, 6): run(Sums<6, 3>(), passes)
    case (3, _): run(Sums<5, 3>(), passes)
    case (2, 9): run(Sums<9, 2>(), passes)
    case (2, 8): run(Sums<8, 2>(), passes)
    case (2, 7): run(Sums<7, 2>(), passes)
    case (2, 6): run(Sums<6, 2>(), passes)
    case (2, _): run(Sums<5, 2>(), passes)
    case (_, 14): run(Sums<14, 1>(), passes)
    case (_, 13): run(Sums<13, 1>(), passes)
    case (_, 12): run(Sums<12, 1>(), passes)
    case (_, 11): run(Sums<11, 1>(), passes)
    case (_, 10): run(Sums<10, 1>(), passes)
    case (_, 9): run(Sums<9, 1>(), passes)
    case (_, 8): run(Sums<8, 1>(), passes)
    case (_, 6): run(Sums<6, 1>(), passes)
    case (_, 5): run(Sums<5, 1>(), passes)
    case (_, 4): run(Sums<4, 1>(), passes)
    default: run(Sums<3, 1>(), passes)
    }
  }

  /// `passes` times the next `height` tiles.
  @inline(never)
  private mutating func run<let height: Int, let vectors: Int>(
    _: Sums<height, vectors>, _ passes: Int
  ) {
    let (depth, aheadStep) = (depth, aheadStep)
    let lineStep = lines.tiles &* 16
    var (values, target, ahead) = (values, target, ahead)
    for _ in 0..<passes {
      var sums = InlineArray<height, InlineArray<vectors, Vector>>(
        repeating: InlineArray<vectors, Vector>(repeating: .zero))
      var weights = weights
      var line = values
      var left = depth
      repeat {
        let channels = min(left, 16)
        var k = 0
        while k < channels {
          let b = InlineArray<vectors, Vector> { Vector.load(weights + $0 &* 16) }
          for i in 0..<height {
            let a = Vector(repeating: line[i &* 16 &+ k])
            for j in 0..<vectors { sums[i][j].addProduct(a, b[j]) }
          }
          processor_prefetch(ahead)
          ahead += aheadStep
          weights += vectors &* 16
          k &+= 1
        }
        line += lineStep
        left &-= 16
      } while left > 0
      for i in 0..<height {
        for j in 0..<vectors { sums[i][j].store(target + (i &* vectors &+ j) &* 16) }
      }
      values += height &* 16
      target += height &* vectors &* 16
    }
    (self.values, self.target, self.ahead) = (values, target, ahead)
  }
}

/// The sums over tiles of their values times their gradients: target [inputs][vectors * 16] = or +=.
struct TileGradient {
  let values: UnsafePointer<Float>
  let lines: TileLines
  /// Channels of the values: rows of the target, which has `rows(inputs)`.
  let inputs: Int
  /// The gradients, [tile][vectors * 16].
  let gradients: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>
  /// Whether the sums begin with zero.
  let isFirst: Bool

  /// The rows of the sums of so many inputs: the last ones may be no one's.
  @inline(__always) static func rows(_ inputs: Int) -> Int { (inputs &+ 7) & ~7 }

  /// How many times the tiles are walked for a product.
  static func passes(_ inputs: Int, vectors: Int) -> Int {
    let (lines, rest) = rows(inputs).quotientAndRemainder(dividingBy: 16)
    return hasWideRegisters
      ? lines * (vectors == 1 ? 1 : 2) + rest / 8 : lines * 3 + rest / 8 * 2
  }

  /// Computes all rows; `ask` is called before each pass.
  @inline(__always)
  func run(vectors: Int, ask: () -> Void) {
    let rows = Self.rows(inputs)
    for channel in stride(from: 0, to: rows, by: 16) {
      ask()
      let isWhole = channel &+ 8 < rows
      if !hasWideRegisters {
        if isWhole {
          add(Sums<6, 1>(), channel)
          ask()
          add(Sums<5, 1>(), channel &+ 6)
          ask()
          add(Sums<5, 1>(), channel &+ 11)
        } else {
          add(Sums<4, 1>(), channel)
          ask()
          add(Sums<4, 1>(), channel &+ 4)
        }
      } else if vectors == 1 && isWhole {
        add(Sums<16, 1>(), channel)
      } else {
        addEight(channel, vectors)
        if isWhole {
          ask()
          addEight(channel &+ 8, vectors)
        }
      }
    }
  }

  @inline(__always)
  private func addEight(_ channel: Int, _ vectors: Int) {
    switch vectors {
    case 3: add(Sums<8, 3>(), channel)
    case 2: add(Sums<8, 2>(), channel)
    default: add(Sums<8, 1>(), channel)
    }
  }

  /// The rows of `height` channels of the same line. Those of the next product, which follow this one's,
  /// are fetched meanwhile.
  @inline(never)
  private func add<let height: Int, let vectors: Int>(_: Sums<height, vectors>, _ channel: Int) {
    let rows = target + channel &* (vectors &* 16)
    var ahead = rows + Self.rows(inputs) &* (vectors &* 16)
    let isFirst = isFirst
    var sums = InlineArray<height, InlineArray<vectors, Vector>> { i in
      InlineArray<vectors, Vector> {
        isFirst ? .zero : Vector.load(rows + (i &* vectors &+ $0) &* 16)
      }
    }
    var line = values + lines.place(tile: 0, channel: channel)
    var gradients = gradients
    for tile in 0..<lines.tiles {
      if tile & 1 == 0 {
        for j in 0..<vectors { processor_prefetch(ahead + j &* 16) }
        ahead += vectors &* 16
      }
      let b = InlineArray<vectors, Vector> { Vector.load(gradients + $0 &* 16) }
      for i in 0..<height {
        let a = Vector(repeating: line[i])
        for j in 0..<vectors { sums[i][j].addProduct(a, b[j]) }
      }
      line += 16
      gradients += vectors &* 16
    }
    for i in 0..<height {
      for j in 0..<vectors { sums[i][j].store(rows + (i &* vectors &+ j) &* 16) }
    }
  }
}
