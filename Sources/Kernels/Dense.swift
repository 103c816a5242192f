internal import COpenBLAS

/// output [n, outputs] = x [n, inputs] * weight [inputs, outputs] + bias [outputs].
public func denseForward(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?, n: Int,
  inputs: Int, outputs: Int, output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(n >= 0 && inputs > 0 && outputs > 0)
  let columns = DenseTiles(count: outputs, work: n * inputs)
  pool.run(columns.tiles) { tile in
    let start = tile * columns.size
    let width = min(columns.size, outputs - start)
    if let bias {
      for row in 0..<n {
        (output + row * outputs + start).update(from: bias + start, count: width)
      }
    }
    matrixProduct(
      rows: n, columns: width, depth: inputs, x, inputs, false, weight + start, outputs, false,
      bias == nil ? 0 : 1, output + start, outputs)
  }
}

/// The gradients of `denseForward`.
///
/// inputGradient [n, inputs] is written if wanted; weightGradient [inputs, outputs] and, if
/// wanted, biasGradient [outputs] are added to.
public func denseBackward(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
  n: Int, inputs: Int, outputs: Int, inputGradient: UnsafeMutablePointer<Float>?,
  weightGradient: UnsafeMutablePointer<Float>, biasGradient: UnsafeMutablePointer<Float>?,
  pool: ThreadPool
) {
  precondition(n >= 0 && inputs > 0 && outputs > 0)
  let rows = DenseTiles(count: inputs, work: n * outputs)
  pool.run(rows.tiles) { tile in
    let start = tile * rows.size
    let height = min(rows.size, inputs - start)
    matrixProduct(
      rows: height, columns: outputs, depth: n, x + start, inputs, true, outputGradient, outputs,
      false, 1, weightGradient + start * outputs, outputs)
    if let inputGradient {
      matrixProduct(
        rows: n, columns: height, depth: outputs, outputGradient, outputs, false,
        weight + start * outputs, outputs, true, 0, inputGradient + start, inputs)
    }
  }
  if let biasGradient {
    ColumnSums(source: outputGradient, rows: n, columns: outputs, target: biasGradient)
      .cover(outputs)
  }
}

/// target += the sum of all rows.
private struct ColumnSums: ChannelGroup {
  let source: UnsafePointer<Float>
  let rows: Int
  let columns: Int
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L.load(target + c)
    for row in 0..<rows { sum = sum + L.load(source + (row &* columns &+ c)) }
    sum.store(target + c)
  }
}

/// The fixed cut of a matrix product along one side: tiles of about two million multiply-adds.
private struct DenseTiles {
  let size: Int
  let tiles: Int

  init(count: Int, work: Int) {
    let wanted = max(64, (2 << 20) / max(1, work))
    size = min(count, (wanted + 15) & ~15)
    tiles = (count + size - 1) / size
  }
}

/// c = a b + beta c, single-threaded; the parallelism is ours, over disjoint parts of c.
private func matrixProduct(
  rows: Int, columns: Int, depth: Int, _ a: UnsafePointer<Float>, _ strideA: Int,
  _ transposeA: Bool, _ b: UnsafePointer<Float>, _ strideB: Int, _ transposeB: Bool,
  _ beta: Float, _ c: UnsafeMutablePointer<Float>, _ strideC: Int
) {
  singleThreadedBlas
  cblas_sgemm(
    CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
    Int32(rows), Int32(columns), Int32(depth), 1, a, Int32(strideA), b, Int32(strideB), beta, c,
    Int32(strideC))
}

/// Two thread pools must not compete: OpenBLAS always works on the calling thread.
private let singleThreadedBlas: Void = openblas_set_num_threads(1)
