/// Memory for the partial sums of batch normalisation, shared by all layers of a network.
///
/// SAFETY: only a pointer that never changes; one thread at a time may use a scratch.
public final class NormScratch: @unchecked Sendable {
  private let buffer: FloatBuffer

  /// Allocates `count` floats: the most that any kernel names.
  public init(count: Int) { buffer = FloatBuffer(count: count) }

  /// The floats held.
  public var count: Int { buffer.count }
  var base: UnsafeMutablePointer<Float> { buffer.base }
}

/// output = activation(norm(x)) + residual; output may alias x or residual.
public func batchNormForward(
  _ x: UnsafePointer<Float>, rows: Int, channels: Int, norm: NormParameters,
  activation: Activation, residual: UnsafePointer<Float>?, output: UnsafeMutablePointer<Float>,
  pool: ThreadPool
) {
  precondition(rows >= 0 && channels > 0)
  func run<F: PointwiseFunction>(_: F.Type) {
    RowBlocks(rows: rows, channels: channels).forEachRow(channels: channels, pool) { offset in
      NormalizedRow<F>(
        x: x + offset, norm: norm, residual: residual.map { $0 + offset }, output: output + offset
      ).coverChains(channels)
    }
  }
  switch activation {
  case .identity: run(IdentityFunction.self)
  case .silu: run(SiluFunction.self)
  case .sigmoid: run(SigmoidFunction.self)
  }
}

private struct NormalizedRow<F: PointwiseFunction>: ChannelGroup {
  let x: UnsafePointer<Float>
  let norm: NormParameters
  let residual: UnsafePointer<Float>?
  let output: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.fetch(x + c + Ahead.floats)
    let value = F.value(norm.value(L.load(x + c), at: c))
    if let residual {
      L.fetch(residual + c + Ahead.floats)
      (value + L.load(residual + c)).store(output + c)
    } else {
      value.store(output + c)
    }
  }
}
