/// The plan of multi-head attention (Vaswani et al., arXiv:1706.03762): softmax(Q Kᵀ / √d) V for
/// every image and head.
///
/// qkv is [batch, tokens, 3, heads, d] as one matrix product makes it; the output [batch, tokens,
/// heads, d]. An image and a head are one task; what a task needs between its products lies in the
/// pool's memory. A plan may be used by one thread at a time.
public final class Attention {
  private let batch: Int
  private let tokens: Int
  private let heads: Int
  private let size: Int
  private let pool: ThreadPool
  private let products: AttentionProducts
  /// What sums begin with.
  private let zeros = FloatBuffer(count: 48)
  /// Floats from token to token of qkv and of the output.
  private var wide: Int { 3 * heads * size }
  private var narrow: Int { heads * size }
  private var scale: Float { 1 / Float(size).squareRoot() }

  /// Plans the attention; without `isTrained` its forward pass alone.
  ///
  /// - Parameter size: the channels of a head.
  public init(
    batch: Int, tokens: Int, heads: Int, size: Int, pool: ThreadPool, isTrained: Bool = true
  ) {
    precondition(batch > 0 && tokens > 0 && heads > 0 && size > 0, "an attention has tokens")
    self.batch = batch
    self.tokens = tokens
    self.heads = heads
    self.size = size
    self.pool = pool
    products = AttentionProducts(tokens: tokens, size: size, isTrained: isTrained)
    pool.workspace.reserve(own: products.workerCount)
  }

  /// Computes the output.
  public func forward(qkv: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>) {
    forEachHead(qkv) { head, places in
      products.packTransposed(head.keys, stride: wide, scale: scale, into: places.keysByChannel)
      products.pack(head.values, count: tokens, stride: wide, into: places.values)
      forEachBlock { first, rows in
        weigh(head, first: first, rows: rows, places)
        attend(first: first, rows: rows, to: output + head.place, places)
      }
    }
  }

  /// Writes the gradient of qkv, and the output where it is wanted; both the shares and the output
  /// are computed again.
  public func backward(
    qkv: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    output: UnsafeMutablePointer<Float>? = nil, qkvGradient: UnsafeMutablePointer<Float>
  ) {
    let columns = products.tokenColumns
    forEachHead(qkv) { head, places in
      products.packTransposed(head.keys, stride: wide, scale: scale, into: places.keysByChannel)
      products.packTransposed(head.values, stride: wide, into: places.valuesByChannel)
      products.pack(head.keys, count: tokens, stride: wide, scale: scale, into: places.keys)
      if output != nil {
        products.pack(head.values, count: tokens, stride: wide, into: places.values)
      }
      let queriesGradient = qkvGradient + (head.queries - qkv)
      forEachBlock { first, rows in
        weigh(head, first: first, rows: rows, places)
        if let output { attend(first: first, rows: rows, to: output + head.place, places) }
        // The values'.
        let slopes = outputGradient + (head.place + first * narrow)
        products.pack(
          slopes, count: rows, stride: narrow, isTransposed: true, into: places.outputGradients)
        products.multiplyTransposed(
          rows: rows, places.shares, places.outputGradients, isFirst: first == 0,
          zeros: zeros.base, to: queriesGradient + 2 * narrow, targetStride: wide, places)
        // The shares', and from it that of the softmax's argument.
        products.multiply(
          rows: rows, depth: size, slopes, stride: narrow, places.valuesByChannel,
          products.tokenPanels, isPadded: true, to: places.gradients, targetStride: columns,
          places)
        for row in 0..<rows {
          let (share, slope) = (places.shares + row * columns, places.gradients + row * columns)
          let mean = RowProducts(x: share, y: slope).sum(columns)
          SoftmaxGradientRow(shares: share, mean: mean, gradient: slope).cover(columns)
        }
        // The queries' and the keys'.
        products.multiply(
          rows: rows, depth: tokens, places.gradients, stride: columns, places.keys,
          products.channelPanels, to: queriesGradient + first * wide, targetStride: wide, places)
        products.pack(
          head.queries + first * wide, count: rows, stride: wide, scale: scale, isTransposed: true,
          into: places.queries)
        products.multiplyTransposed(
          rows: rows, places.gradients, places.queries, isFirst: first == 0, zeros: zeros.base,
          to: queriesGradient + narrow, targetStride: wide, places)
      }
    }
  }

  /// Where an image's head is in qkv, and its place in the output.
  private struct Head {
    let queries: UnsafePointer<Float>
    let keys: UnsafePointer<Float>
    let values: UnsafePointer<Float>
    let place: Int
  }

  private func forEachHead(
    _ qkv: UnsafePointer<Float>, _ body: (Head, AttentionProducts.Places) -> Void
  ) {
    pool.workspace.use { memory in
      pool.runOnWorkers(batch * heads) { task, worker in
        let (image, head) = (task / heads, task % heads)
        let base = qkv + (image * tokens * wide + head * size)
        body(
          Head(
            queries: base, keys: base + narrow, values: base + 2 * narrow,
            place: image * tokens * narrow + head * size),
          products.places(memory.own(worker)))
      }
    }
  }

  private func forEachBlock(_ body: (_ first: Int, _ rows: Int) -> Void) {
    for first in stride(from: 0, to: tokens, by: AttentionProducts.block) {
      body(first, min(AttentionProducts.block, tokens - first))
    }
  }

  /// The shares of a block of queries: softmax(Q Kᵀ / √d), row by row.
  private func weigh(_ head: Head, first: Int, rows: Int, _ places: AttentionProducts.Places) {
    let columns = products.tokenColumns
    products.multiply(
      rows: rows, depth: size, head.queries + first * wide, stride: wide, places.keysByChannel,
      products.tokenPanels, isPadded: true, to: places.shares, targetStride: columns, places)
    for row in 0..<rows {
      // Whole vectors: what e to the lowest power adds to a sum of one or more is rounded away.
      let shares = places.shares + row * columns
      for column in tokens..<columns { shares[column] = -.infinity }
      softmaxRow(shares, count: columns)
    }
  }

  /// The output of a block from its shares.
  private func attend(
    first: Int, rows: Int, to output: UnsafeMutablePointer<Float>,
    _ places: AttentionProducts.Places
  ) {
    products.multiply(
      rows: rows, depth: tokens, places.shares, stride: products.tokenColumns, places.values,
      products.channelPanels, to: output + first * narrow, targetStride: narrow, places)
  }
}

/// values = exp(values - largest) / their sum, in place.
func softmaxRow(_ values: UnsafeMutablePointer<Float>, count: Int) {
  let top = largest(of: values, count: count)
  ExponentialRow(values: values, top: top).coverChains(count)
  ScaledRow(values: values, factor: 1 / RowValues(x: values).sum(count)).cover(count)
}

/// The largest of some numbers that is one.
func largest(of values: UnsafePointer<Float>, count: Int) -> Float {
  var vector = Vector(repeating: -.infinity)
  var index = 0
  while index &+ 16 <= count {
    vector = Vector.larger(vector, Vector.load(values + index))
    index &+= 16
  }
  var top = vector.top
  while index < count {
    top = Float.larger(top, values[index])
    index &+= 1
  }
  return top
}

private struct ExponentialRow: ChannelGroup {
  let values: UnsafeMutablePointer<Float>
  let top: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    exponential(L.load(values + c) - L(splat: top)).store(values + c)
  }
}

/// values = values * factor, in place.
struct ScaledRow: ChannelGroup {
  let values: UnsafeMutablePointer<Float>
  let factor: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    (L.load(values + c) * L(splat: factor)).store(values + c)
  }
}

/// gradient = shares * (gradient - mean).
private struct SoftmaxGradientRow: ChannelGroup {
  let shares: UnsafePointer<Float>
  let mean: Float
  let gradient: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    (L.load(shares + c) * (L.load(gradient + c) - L(splat: mean))).store(gradient + c)
  }
}
