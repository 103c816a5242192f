internal import COpenBLAS

/// A row-major matrix of a product: where it is, how far apart its rows are, whether it is read
/// transposed.
struct MatrixOperand {
  let base: UnsafePointer<Float>
  let stride: Int
  var isTransposed = false
}

/// c [rows, columns] = a b + beta * c for a beta of 0 or 1, single-threaded; the parallelism is ours,
/// over disjoint parts of c.
func matrixProduct(
  rows: Int, columns: Int, depth: Int, _ a: MatrixOperand, _ b: MatrixOperand, beta: Float,
  _ c: UnsafeMutablePointer<Float>, stride: Int
) {
  guard OpenBLAS.isOfUse else {
    return PanelProduct.run(
      rows: rows, columns: columns, depth: depth, a, b, accumulate: beta == 1, c, stride: stride)
  }
  cblas_sgemm(
    CblasRowMajor, a.isTransposed ? CblasTrans : CblasNoTrans,
    b.isTransposed ? CblasTrans : CblasNoTrans, Int32(rows), Int32(columns), Int32(depth), 1,
    a.base, Int32(a.stride), b.base, Int32(b.stride), beta, c, Int32(stride))
}

/// The library of matrix products.
private enum OpenBLAS {
  /// Whether it was made for processors like this one. Where it has never heard of the processor, as
  /// a distribution's older copy of a newer one, it falls back to instructions of twenty years ago.
  static let isOfUse: Bool = {
    // Two thread pools must not compete: it always works on the calling thread.
    openblas_set_num_threads(1)
    guard let name = openblas_get_corename() else { return true }
    let fallbacks = ["prescott", "core2", "nehalem", "barcelona", "generic", "unknown"]
    return !fallbacks.contains(String(cString: name).lowercased())
  }()
}

/// The fixed cut of a product's result into tiles: large enough that reading the operands costs
/// little, and at least about two million multiply-adds where the matrix has so many.
struct ProductTiles {
  /// Part of the result.
  struct Tile {
    let row: Int
    let rows: Int
    let column: Int
    let columns: Int
  }

  private let rows: Int
  private let columns: Int
  private let height: Int
  private let width: Int
  private var across: Int { (columns + width - 1) / width }

  /// The number of tiles.
  var count: Int { (rows + height - 1) / height * across }

  init(rows: Int, columns: Int, depth: Int) {
    let work = (2 << 20) / max(1, depth)
    var height = min(rows, 384)
    let wide = roundUp(work / max(1, height))
    let width = min(columns, max(rows < 128 ? 64 : 256, wide))
    if width == columns { height = min(rows, max(height, roundUp(work / columns))) }
    self.rows = rows
    self.columns = columns
    self.height = max(1, height)
    self.width = width
  }

  subscript(index: Int) -> Tile {
    let (row, column) = (index / across * height, index % across * width)
    return Tile(
      row: row, rows: min(height, rows - row), column: column,
      columns: min(width, columns - column))
  }
}

/// The next multiple of 16.
private func roundUp(_ count: Int) -> Int { (count + 15) & ~15 }
