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
  /// Floats from token to token of qkv and of the output.
  private var wide: Int { 3 * heads * size }
  private var narrow: Int { heads * size }
  private var square: Int { tokens * tokens }
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
    pool.workspace.reserve((isTrained ? 2 : 1) * tokens * tokens * pool.threads)
  }

  /// Computes the output.
  public func forward(qkv: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>) {
    pool.workspace.use { memory in
      pool.runOnWorkers(batch * heads) { task, worker in
        let shares = memory + worker * square
        let head = head(task, qkv)
        weigh(head, shares)
        matrixProduct(
          rows: tokens, columns: size, depth: tokens,
          MatrixOperand(base: shares, stride: tokens),
          MatrixOperand(base: head.values, stride: wide), beta: 0, output + head.place,
          stride: narrow)
      }
    }
  }

  /// Writes the gradient of qkv; the shares are computed again.
  public func backward(
    qkv: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    qkvGradient: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      pool.runOnWorkers(batch * heads) { task, worker in
        let shares = memory + 2 * worker * square
        let gradient = shares + square
        let head = head(task, qkv)
        weigh(head, shares)
        let outputGradient = MatrixOperand(base: outputGradient + head.place, stride: narrow)
        let target = qkvGradient + (head.queries - qkv)
        // The values'.
        matrixProduct(
          rows: tokens, columns: size, depth: tokens,
          MatrixOperand(base: shares, stride: tokens, isTransposed: true), outputGradient,
          beta: 0, target + 2 * narrow, stride: wide)
        // The shares', and from it that of the softmax's argument.
        matrixProduct(
          rows: tokens, columns: tokens, depth: size, outputGradient,
          MatrixOperand(base: head.values, stride: wide, isTransposed: true), beta: 0, gradient,
          stride: tokens)
        for row in 0..<tokens {
          let (share, slope) = (shares + row * tokens, gradient + row * tokens)
          let mean = RowProducts(x: share, y: slope).sum(tokens)
          SoftmaxGradientRow(shares: share, mean: mean, gradient: slope).cover(tokens)
        }
        // The queries' and the keys'.
        matrixProduct(
          rows: tokens, columns: size, depth: tokens, scale: scale,
          MatrixOperand(base: gradient, stride: tokens),
          MatrixOperand(base: head.keys, stride: wide), beta: 0, target, stride: wide)
        matrixProduct(
          rows: tokens, columns: size, depth: tokens, scale: scale,
          MatrixOperand(base: gradient, stride: tokens, isTransposed: true),
          MatrixOperand(base: head.queries, stride: wide), beta: 0, target + narrow, stride: wide)
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

  private func head(_ task: Int, _ qkv: UnsafePointer<Float>) -> Head {
    let (image, head) = (task / heads, task % heads)
    let base = qkv + (image * tokens * wide + head * size)
    return Head(
      queries: base, keys: base + narrow, values: base + 2 * narrow,
      place: image * tokens * narrow + head * size)
  }

  /// shares [tokens, tokens] = softmax(Q Kᵀ / √d), row by row.
  private func weigh(_ head: Head, _ shares: UnsafeMutablePointer<Float>) {
    matrixProduct(
      rows: tokens, columns: tokens, depth: size, scale: scale,
      MatrixOperand(base: head.queries, stride: wide),
      MatrixOperand(base: head.keys, stride: wide, isTransposed: true), beta: 0, shares,
      stride: tokens)
    for row in 0..<tokens { softmaxRow(shares + row * tokens, count: tokens) }
  }
}

/// values = exp(values - largest) / their sum, in place.
func softmaxRow(_ values: UnsafeMutablePointer<Float>, count: Int) {
  var top = values[0]
  for index in 1..<max(1, count) where values[index] > top { top = values[index] }
  ExponentialRow(values: values, top: top).cover(count)
  ScaledRow(values: values, factor: 1 / RowValues(x: values).sum(count)).cover(count)
}

private struct ExponentialRow: ChannelGroup {
  let values: UnsafeMutablePointer<Float>
  let top: Float

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    exponential(L.load(values + c) - L(splat: top)).store(values + c)
  }
}

private struct ScaledRow: ChannelGroup {
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
