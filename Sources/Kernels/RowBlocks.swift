/// The fixed cut of [rows, channels] into blocks of rows. It depends on the sizes alone, never on
/// the number of threads, so that sums over blocks always have the same bits.
struct RowBlocks {
  /// The most blocks of one cut.
  static let limit = 256

  let rows: Int
  let size: Int
  let count: Int

  /// Blocks of about `elements` numbers.
  init(rows: Int, channels: Int, elements: Int = 16_384) {
    self.rows = rows
    size = max(1, elements / channels, (rows + Self.limit - 1) / Self.limit)
    count = (rows + size - 1) / size
  }

  /// Calls `body` with the offset of every row, block by block in parallel.
  @inline(__always)
  func forEachRow(channels: Int, _ pool: ThreadPool, _ body: (_ offset: Int) -> Void) {
    pool.run(count) { block in
      var row = start(block)
      let last = end(block)
      while row < last {
        body(row &* channels)
        row &+= 1
      }
    }
  }

  @inline(__always) func start(_ block: Int) -> Int { block &* size }
  @inline(__always) func end(_ block: Int) -> Int { min(rows, (block &+ 1) &* size) }
}

/// Calls `body` with runs of a few neighbouring rows (pixels) of first ..< last: few enough that
/// memory is read nearly in order, enough that sums are seldom put away.
@inline(__always)
func forEachRun(
  _ first: Int, _ last: Int, channels: Int, _ body: (_ row: Int, _ count: Int) -> Void
) {
  let size = max(8, 2_048 / channels)
  var row = first
  while row < last {
    body(row, min(size, last &- row))
    row &+= size
  }
}

/// A kernel body for one group of neighbouring numbers, whatever the number of lanes.
protocol ChannelGroup {
  func run<L: Lanes>(_: L.Type, at channel: Int)
}

extension ChannelGroup {
  /// Runs the body for channels 0 ..< count.
  @inline(__always)
  func cover(_ count: Int) { cover(from: 0, to: count) }

  /// Runs the body for the channels start ..< end: 32 lanes at a time, then 16, 8 and single ones.
  @inline(__always)
  func cover(from start: Int, to end: Int) {
    var channel = start
    while channel &+ 32 <= end {
      run(VectorPair.self, at: channel)
      channel &+= 32
    }
    coverNarrow(from: channel, to: end)
  }

  /// `cover` for bodies that are one long chain of operations: 64 lanes at a time where there are
  /// registers for it.
  @inline(__always)
  func coverChains(_ count: Int) { coverChains(from: 0, to: count) }

  /// The same for the channels start ..< end.
  @inline(__always)
  func coverChains(from start: Int, to end: Int) {
    var channel = start
    if hasWideRegisters {
      while channel &+ 64 <= end {
        run(VectorQuad.self, at: channel)
        channel &+= 64
      }
    }
    cover(from: channel, to: end)
  }

  /// `cover` as a function of its own: where a closure alone holds the loop, the compiler calls a
  /// function for each multiply-add.
  @inline(never)
  func coverBlock(from start: Int, to end: Int) { cover(from: start, to: end) }

  /// Runs the body for the channels start ..< end, a register at a time: for bodies that hold dozens
  /// of numbers of a channel.
  @inline(__always)
  func coverRegisters(from start: Int, to end: Int) {
    if hasWideRegisters { return coverNarrow(from: start, to: end) }
    var channel = start
    while channel &+ 8 <= end {
      run(SIMD8<Float>.self, at: channel)
      channel &+= 8
    }
    while channel < end {
      run(Float.self, at: channel)
      channel &+= 1
    }
  }

  /// The same as `cover`, 16 lanes at a time: for bodies that fill the registers as it is.
  @inline(__always)
  func coverNarrow(from start: Int, to end: Int) {
    var channel = start
    while channel &+ 16 <= end {
      run(Vector.self, at: channel)
      channel &+= 16
    }
    if channel &+ 8 <= end {
      run(SIMD8<Float>.self, at: channel)
      channel &+= 8
    }
    while channel < end {
      run(Float.self, at: channel)
      channel &+= 1
    }
  }
}

/// Runs the body over `count` numbers, in parallel blocks of a fixed size.
@inline(__always)
func flat<Body: ChannelGroup>(_ count: Int, _ pool: ThreadPool, _ body: Body) {
  let block = 16_384
  pool.run((count &+ block &- 1) / block) { task in
    body.coverBlock(from: task &* block, to: min(count, (task &+ 1) &* block))
  }
}
