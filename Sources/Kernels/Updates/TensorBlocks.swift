/// Tensors in a flat buffer, cut into blocks of a fixed size, and sums over each tensor.
///
/// The cut depends on the tensors alone, and the sums of the blocks are added in their order in
/// double precision: the bits of a sum never depend on the number of threads.
///
/// Every tensor starts at a multiple of 16 elements, and what lies between two tensors holds zeros in
/// weights and gradients, so that a block may be walked 16 elements at a time.
///
/// SAFETY: the memory belongs to the object and never moves; one thread at a time may use it, and the
/// tasks of one run write to places of their own.
public final class TensorBlocks {
  /// A part of a tensor: whole vectors of the flat buffer.
  struct Block {
    let tensor: Int
    let start: Int
    let end: Int
  }

  let blocks: [Block]
  private let tensorCount: Int
  private let partials: UnsafeMutablePointer<SIMD2<Double>>
  private let sums: UnsafeMutablePointer<SIMD2<Double>>

  /// Cuts tensors, each given by its elements in the flat buffer.
  public init(_ tensors: [Range<Int>]) {
    var blocks: [Block] = []
    for (tensor, range) in tensors.enumerated() {
      precondition(range.lowerBound % 16 == 0, "a tensor starts in the middle of a vector")
      let end = range.lowerBound + (range.count + 15) / 16 * 16
      for start in stride(from: range.lowerBound, to: end, by: 16_384) {
        blocks.append(Block(tensor: tensor, start: start, end: min(end, start + 16_384)))
      }
    }
    self.blocks = blocks
    tensorCount = tensors.count
    partials = .allocate(capacity: max(1, blocks.count))
    partials.initialize(repeating: .zero, count: max(1, blocks.count))
    sums = .allocate(capacity: max(1, tensorCount))
    sums.initialize(repeating: .zero, count: max(1, tensorCount))
  }

  deinit {
    partials.deallocate()
    sums.deallocate()
  }

  /// Runs `body` for every block in parallel; its two results are added up by tensor.
  ///
  /// - Returns: the two sums of each tensor, valid until the next call.
  func sum(
    _ pool: ThreadPool, _ body: (Block) -> SIMD2<Double>
  ) -> UnsafePointer<SIMD2<Double>> {
    let blocks = self.blocks
    let partials = self.partials
    pool.run(blocks.count) { partials[$0] = body(blocks[$0]) }
    for tensor in 0..<tensorCount { sums[tensor] = .zero }
    for (index, block) in blocks.enumerated() { sums[block.tensor] += partials[index] }
    return UnsafePointer(sums)
  }

  /// Runs `body` for every block in parallel.
  func forEach(_ pool: ThreadPool, _ body: (Block) -> Void) {
    let blocks = self.blocks
    pool.run(blocks.count) { body(blocks[$0]) }
  }

  /// The sum of the squares of all tensors' elements in a flat buffer.
  public func squares(_ values: UnsafePointer<Float>, pool: ThreadPool) -> Double {
    let sums = sum(pool) { block in
      [blockSum(block.start, block.end) { i in square(.load(values + i)) }, 0]
    }
    return (0..<tensorCount).reduce(0) { $0 + sums[$1].x }
  }
}

/// The squares of the lanes.
@inline(__always)
func square(_ vector: Vector) -> Vector { vector * vector }

/// Adds up what `body` gives for each vector from start to end: 1024 numbers at a time in floats,
/// those sums in double precision.
@inline(__always)
func blockSum(_ start: Int, _ end: Int, _ body: (Int) -> Vector) -> Double {
  var total = 0.0
  var index = start
  while index < end {
    let stop = min(end, index &+ 1024)
    var sum = Vector.zero
    while index < stop {
      sum += body(index)
      index &+= 16
    }
    total += Double(sum.sum())
  }
  return total
}

/// Like `blockSum`, for two sums of one walk.
@inline(__always)
func blockSums(_ start: Int, _ end: Int, _ body: (Int) -> (Vector, Vector)) -> SIMD2<Double> {
  var total = SIMD2<Double>.zero
  var index = start
  while index < end {
    let stop = min(end, index &+ 1024)
    var sums = (Vector.zero, Vector.zero)
    while index < stop {
      let values = body(index)
      sums.0 += values.0
      sums.1 += values.1
      index &+= 16
    }
    total += [Double(sums.0.sum()), Double(sums.1.sum())]
  }
  return total
}
