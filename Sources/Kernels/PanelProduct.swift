/// A matrix product on the convolutions' microkernels, on the calling thread: `matrixProduct` for
/// processors that OpenBLAS does not know.
///
/// The depth is taken in blocks whose part of a panel of b stays in the first caches.
enum PanelProduct {
  /// Rows and depth of a block; the rows are a multiple of the microkernels' heights.
  private static let rowBlock = 54
  private static let depthBlock = 256
  /// Columns of the widest panel.
  private static let widest = 64

  /// Memory for one product.
  private struct Places {
    let packed: UnsafeMutablePointer<Float>
    let temporary: UnsafeMutablePointer<Float>
    /// A row that nobody reads, and one of zeros.
    let spare: UnsafeMutablePointer<Float>
    let zeros: UnsafeMutablePointer<Float>
    let table: UnsafeMutablePointer<RowPointer>
    let targets: UnsafeMutablePointer<TargetPointer>
  }

  /// c [rows, columns] = a b, or c + a b. One of a and b may be transposed.
  static func run(
    rows: Int, columns: Int, depth: Int, _ a: MatrixOperand, _ b: MatrixOperand, accumulate: Bool,
    _ c: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(!(a.isTransposed && b.isTransposed) && (depth > 0 || accumulate))
    withPlaces { places in
      for start in Swift.stride(from: 0, to: depth, by: depthBlock) {
        let count = min(depthBlock, depth - start)
        let isFirst = start == 0 && !accumulate
        for panel in Panel.cut(columns, limit: a.isTransposed ? 3 : 4) {
          pack(b, panel, start, count, into: places.packed)
          let target = c + panel.column
          if a.isTransposed {
            addOuter(rows, panel, a, start, count, isFirst, to: target, stride: stride, places)
          } else {
            gather(rows, panel, a, start, count, isFirst, to: target, stride: stride, places)
          }
        }
      }
    }
  }

  private static func pack(
    _ b: MatrixOperand, _ panel: Panel, _ start: Int, _ count: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    if b.isTransposed {
      packTransposedPanel(
        b.base + (panel.column &* b.stride &+ start), stride: b.stride, panel, depth: 0..<count,
        into: packed)
    } else {
      packPanel(
        b.base + (start &* b.stride &+ panel.column), stride: b.stride, panel, count: count,
        into: packed)
    }
  }

  /// target [rows, panel] = or += rows of a times the packed block.
  private static func gather(
    _ rows: Int, _ panel: Panel, _ a: MatrixOperand, _ start: Int, _ count: Int, _ isFirst: Bool,
    to target: UnsafeMutablePointer<Float>, stride: Int, _ places: Places
  ) {
    for row in Swift.stride(from: 0, to: rows, by: rowBlock) {
      let left = rows - row
      let source = a.base + (row &* a.stride &+ start)
      for i in 0..<rowBlock + gatherOverhang {
        places.table[i] = source + min(i, left &- 1) &* a.stride
      }
      for i in 0..<rowBlock + gatherOverhang {
        places.targets[i] = i < left ? target + (row &+ i) &* stride : places.spare
      }
      gatherRows(
        min(left, rowBlock), vectors: panel.vectors,
        GatherTile(
          taps: 1, depth: count, table: places.table, tableStride: 0,
          weights: UnsafeRawPointer(places.packed), step: panel.vectors &* 64,
          targets: places.targets, column: 0, width: panel.width, accumulate: !isFirst,
          temporary: places.temporary, ahead: .none(places.packed)))
    }
  }

  /// target [rows, panel] = or += columns of the transposed a times the packed block.
  private static func addOuter(
    _ rows: Int, _ panel: Panel, _ a: MatrixOperand, _ start: Int, _ count: Int, _ isFirst: Bool,
    to target: UnsafeMutablePointer<Float>, stride: Int, _ places: Places
  ) {
    for k in 0..<count { places.table[k] = a.base + (start &+ k) &* a.stride }
    outerRows(
      rows, vectors: panel.vectors, temporary: places.temporary,
      OuterTile(
        pixels: count, table: places.table, offset: 0, columns: places.packed,
        columnsStep: panel.vectors &* 64, target: target, stride: stride, width: panel.width,
        initial: UnsafePointer(isFirst ? places.zeros : target),
        initialStride: isFirst ? 0 : stride, ahead: places.table))
  }

  private static func withPlaces(_ body: (Places) -> Void) {
    let floats = widest * depthBlock + GatherTile.temporaryCount + 2 * widest
    let pointers = depthBlock + rowBlock + 2 * gatherOverhang
    withUnsafeTemporaryAllocation(byteCount: 4 * floats + 8 * pointers, alignment: 64) { memory in
      guard let base = memory.baseAddress else { return }
      let packed = base.assumingMemoryBound(to: Float.self)
      let spare = packed + widest * depthBlock
      let zeros = spare + widest
      zeros.initialize(repeating: 0, count: widest)
      let table = base + 4 * floats
      body(
        Places(
          packed: packed, temporary: zeros + widest, spare: spare, zeros: zeros,
          table: table.assumingMemoryBound(to: RowPointer.self),
          targets: (table + 8 * (depthBlock + gatherOverhang))
            .assumingMemoryBound(to: TargetPointer.self)))
    }
  }
}
