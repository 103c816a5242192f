/// output [n, outputs] = x [n, inputs] * weight [inputs, outputs] + bias [outputs] + residual
/// [n, outputs].
public func denseForward(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, bias: UnsafePointer<Float>?,
  residual: UnsafePointer<Float>? = nil, n: Int, inputs: Int, outputs: Int,
  output: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(n >= 0 && inputs > 0 && outputs > 0)
  let tiles = ProductTiles(rows: n, columns: outputs, depth: inputs)
  pool.run(tiles.count) { index in
    let tile = tiles[index]
    let corner = tile.row * outputs + tile.column
    for row in 0..<tile.rows {
      let offset = corner + row * outputs
      if let residual {
        (output + offset).update(from: residual + offset, count: tile.columns)
        if let bias {
          AddedRow(source: bias + tile.column, target: output + offset).cover(tile.columns)
        }
      } else if let bias {
        (output + offset).update(from: bias + tile.column, count: tile.columns)
      }
    }
    matrixProduct(
      rows: tile.rows, columns: tile.columns, depth: inputs,
      MatrixOperand(base: x + tile.row * inputs, stride: inputs),
      MatrixOperand(base: weight + tile.column, stride: outputs),
      beta: bias == nil && residual == nil ? 0 : 1, output + corner, stride: outputs)
  }
}

/// The gradients of `denseForward`.
///
/// inputGradient [n, inputs] is written if wanted; weightGradient [inputs, outputs] and
/// biasGradient [outputs] are added to if wanted.
public func denseBackward(
  _ x: UnsafePointer<Float>, weight: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
  n: Int, inputs: Int, outputs: Int, inputGradient: UnsafeMutablePointer<Float>?,
  weightGradient: UnsafeMutablePointer<Float>?, biasGradient: UnsafeMutablePointer<Float>?,
  pool: ThreadPool
) {
  precondition(n >= 0 && inputs > 0 && outputs > 0)
  let weights = ProductTiles(rows: inputs, columns: outputs, depth: n)
  let rows = ProductTiles(rows: n, columns: inputs, depth: outputs)
  let weightTiles = weightGradient == nil ? 0 : weights.count
  pool.run(weightTiles + (inputGradient == nil ? 0 : rows.count)) { index in
    if let weightGradient, index < weightTiles {
      let tile = weights[index]
      return matrixProduct(
        rows: tile.rows, columns: tile.columns, depth: n,
        MatrixOperand(base: x + tile.row, stride: inputs, isTransposed: true),
        MatrixOperand(base: outputGradient + tile.column, stride: outputs), beta: 1,
        weightGradient + (tile.row * outputs + tile.column), stride: outputs)
    }
    if let inputGradient {
      let tile = rows[index - weightTiles]
      matrixProduct(
        rows: tile.rows, columns: tile.columns, depth: outputs,
        MatrixOperand(base: outputGradient + tile.row * outputs, stride: outputs),
        MatrixOperand(base: weight + tile.column * outputs, stride: outputs, isTransposed: true),
        beta: 0, inputGradient + (tile.row * inputs + tile.column), stride: inputs)
    }
  }
  if let biasGradient {
    addColumnSums(outputGradient, rows: n, columns: outputs, to: biasGradient, pool: pool)
  }
}

/// target [columns] += the sum of all rows of source [rows, columns].
public func addColumnSums(
  _ source: UnsafePointer<Float>, rows: Int, columns: Int,
  to target: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  let sums = ColumnSums(source: source, rows: rows, columns: columns, target: target)
  // A cut that depends on the sizes alone; the order of a column's sum depends on nothing.
  let width = rows * columns < 1 << 16 ? columns : 64
  pool.run((columns + width - 1) / width) { part in
    sums.cover(from: part * width, to: min(columns, (part + 1) * width))
  }
}

/// target += the sum of the rows, in order.
struct ColumnSums: ChannelGroup {
  let source: UnsafePointer<Float>
  let rows: Int
  /// Floats from row to row.
  let columns: Int
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L.load(target + c)
    for row in 0..<rows { sum = sum + L.load(source + (row &* columns &+ c)) }
    sum.store(target + c)
  }
}

/// target += source.
public func accumulate(
  _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int,
  pool: ThreadPool
) {
  flat(count, pool, AddedRow(source: source, target: target))
}

/// target += source.
struct AddedRow: ChannelGroup {
  let source: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    (L.load(target + c) + L.load(source + c)).store(target + c)
  }
}
