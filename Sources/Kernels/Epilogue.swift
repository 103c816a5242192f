/// What a convolution does to its sums while they are still in cache:
/// activation(sum + shift[channel]) + residual.
public struct Epilogue {
  let shift: UnsafePointer<Float>
  let activation: Activation
  let residual: UnsafePointer<Float>?

  /// - Parameters:
  ///   - shift: a number per output channel.
  ///   - residual: what is added behind the activation; as large as the output.
  public init(
    shift: UnsafePointer<Float>, activation: Activation, residual: UnsafePointer<Float>? = nil
  ) {
    self.shift = shift
    self.activation = activation
    self.residual = residual
  }

  /// Finishes some columns of some rows of `output`.
  func apply(to rows: FinishedRows, of output: UnsafeMutablePointer<Float>) {
    func run<F: PointwiseFunction>(_: F.Type) {
      for index in 0..<rows.count {
        let row = rows.rows[index]
        ShiftedRow<F>(row: row, shift: shift, residual: residual.map { $0 + (row - output) })
          .cover(from: rows.column, to: rows.column &+ rows.width)
      }
    }
    switch activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
    }
  }
}

/// Some columns of neighbouring output pixels, just computed.
struct FinishedRows {
  let rows: UnsafePointer<TargetPointer>
  let count: Int
  let column: Int
  let width: Int
  /// The first of the pixels, the part of all pixels it belongs to, and whether it begins that part.
  var pixel = 0
  var part = 0
  var isFirst = false
}

private struct ShiftedRow<F: PointwiseFunction>: ChannelGroup {
  let row: UnsafeMutablePointer<Float>
  let shift: UnsafePointer<Float>
  let residual: UnsafePointer<Float>?

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let value = F.value(L.load(row + c) + L.load(shift + c))
    if let residual {
      (value + L.load(residual + c)).store(row + c)
    } else {
      value.store(row + c)
    }
  }
}
