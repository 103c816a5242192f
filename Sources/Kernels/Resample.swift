/// Resizes 8-bit RGB pictures as Pillow does, bit for bit.
///
/// Pillow's `ImagingResample`: a horizontal pass rounded to 8 bits, then a vertical pass, each with
/// 22-bit fixed-point weights; a pass that would change nothing is left out. Like Pillow 13, and
/// unlike the versions before it, the vertical pass comes first when the height shrinks by more
/// than twice as many pixels as the width; the versions differ by a few levels there. Only the
/// rows and columns that the wanted part of the output reads are computed.
///
/// One resampler belongs to one thread. It keeps the weight tables of recent geometries and its
/// intermediate buffers, so that a stream of pictures of the same sizes allocates nothing.
public final class Resampler {
  private struct Geometry: Hashable {
    var inputSize: Int
    var outputSize: Int
    var filter: ResampleFilter
  }

  private var tables: [Geometry: ResampleTable] = [:]
  private var tableBytes = 0
  private var intermediate = ByteScratch()
  private var tile = ByteScratch()
  private static let tableByteLimit = 4 << 20

  /// A resampler with no tables yet.
  public init() {}

  /// Resizes the whole of `source` to `width` x `height` and writes a part of the result.
  ///
  /// - Parameters:
  ///   - columns: the output columns wanted; nil is all of them.
  ///   - rows: the output rows wanted; nil is all of them.
  ///   - output: receives `rows.count` rows of `columns.count` RGB pixels.
  ///   - outputRowBytes: bytes from one output row to the next; nil means no gap.
  public func resize(
    _ source: PixelView, width: Int, height: Int, filter: ResampleFilter,
    columns: Range<Int>? = nil, rows: Range<Int>? = nil,
    into output: UnsafeMutablePointer<UInt8>, outputRowBytes: Int? = nil
  ) {
    let horizontal = table(from: source.width, to: width, filter: filter)
    let vertical = table(from: source.height, to: height, filter: filter)
    resample(
      source, horizontal: horizontal, vertical: vertical, columns: columns, rows: rows,
      into: output, outputRowBytes: outputRowBytes)
  }

  /// Resizes with given tables, which may cover a part of the source (`box`).
  ///
  /// Arguments as in `resize`.
  public func resample(
    _ source: PixelView, horizontal: ResampleTable, vertical: ResampleTable,
    columns: Range<Int>? = nil, rows: Range<Int>? = nil,
    into output: UnsafeMutablePointer<UInt8>, outputRowBytes: Int? = nil
  ) {
    let columns = columns ?? 0..<horizontal.outputSize
    let rows = rows ?? 0..<vertical.outputSize
    let outputRowBytes = outputRowBytes ?? 3 * columns.count
    precondition(horizontal.inputSize == source.width && vertical.inputSize == source.height)
    precondition(!columns.isEmpty && !rows.isEmpty, "a picture has pixels")
    precondition(columns.lowerBound >= 0 && columns.upperBound <= horizontal.outputSize)
    precondition(rows.lowerBound >= 0 && rows.upperBound <= vertical.outputSize)
    precondition(outputRowBytes >= 3 * columns.count)
    let readRows = vertical.sourceRange(of: rows)
    let readColumns = horizontal.sourceRange(of: columns)
    let start = source.base + readRows.lowerBound * source.rowBytes + 3 * readColumns.lowerBound
    let width = 3 * columns.count
    switch (horizontal.isNeeded, vertical.isNeeded) {
    case (false, false):
      for row in 0..<rows.count {
        (output + row * outputRowBytes).update(from: start + row * source.rowBytes, count: width)
      }
    case (true, false):
      resampleRows(
        start, rowBytes: source.rowBytes, rows: rows.count, table: horizontal, columns: columns,
        tile: tile.reserve(readColumns.count * rowGroup * 3), output: output,
        outputRowBytes: outputRowBytes)
    case (false, true):
      resampleColumns(
        start, rowBytes: source.rowBytes, width: width, table: vertical, rows: rows,
        output: output, outputRowBytes: outputRowBytes)
    case (true, true) where Self.startsVertically(horizontal, vertical):
      let middleWidth = 3 * readColumns.count
      let middle = intermediate.reserve(rows.count * middleWidth)
      resampleColumns(
        start, rowBytes: source.rowBytes, width: middleWidth, table: vertical, rows: rows,
        output: middle, outputRowBytes: middleWidth)
      resampleRows(
        middle, rowBytes: middleWidth, rows: rows.count, table: horizontal, columns: columns,
        tile: tile.reserve(readColumns.count * rowGroup * 3), output: output,
        outputRowBytes: outputRowBytes)
    case (true, true):
      let middle = intermediate.reserve(readRows.count * width)
      resampleRows(
        start, rowBytes: source.rowBytes, rows: readRows.count, table: horizontal,
        columns: columns, tile: tile.reserve(readColumns.count * rowGroup * 3), output: middle,
        outputRowBytes: width)
      resampleColumns(
        middle, rowBytes: width, width: width, table: vertical, rows: rows, output: output,
        outputRowBytes: outputRowBytes)
    }
  }

  /// Pillow 13's choice of the first pass: vertical when the height shrinks by more than twice as
  /// many pixels as the width.
  private static func startsVertically(_ horizontal: ResampleTable, _ vertical: ResampleTable)
    -> Bool
  {
    let rowsLost = vertical.inputSize - vertical.outputSize
    return rowsLost > 0 && rowsLost > 2 * (horizontal.inputSize - horizontal.outputSize)
  }

  private func table(from inputSize: Int, to outputSize: Int, filter: ResampleFilter)
    -> ResampleTable
  {
    let key = Geometry(inputSize: inputSize, outputSize: outputSize, filter: filter)
    if let known = tables[key] { return known }
    if tableBytes > Self.tableByteLimit {
      tables.removeAll(keepingCapacity: true)
      tableBytes = 0
    }
    let made = ResampleTable(inputSize: inputSize, outputSize: outputSize, filter: filter)
    tables[key] = made
    tableBytes += made.byteCount
    return made
  }
}

/// Bytes that only ever grow, for intermediate results.
public struct ByteScratch: ~Copyable {
  // SAFETY: the struct is the only owner of its memory; `reserve` hands out pointers that its
  // holder uses before the next call.
  private var base: UnsafeMutablePointer<UInt8>?
  private var capacity = 0

  /// No bytes yet.
  public init() {}

  /// At least `count` bytes, and as many again as one vector may run past the end. Contents are
  /// whatever the last use left; fresh memory is zero.
  public mutating func reserve(_ count: Int) -> UnsafeMutablePointer<UInt8> {
    if let base, count <= capacity { return base }
    base?.deallocate()
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: count + 64)
    fresh.initialize(repeating: 0, count: count + 64)
    base = fresh
    capacity = count
    return fresh
  }

  deinit { base?.deallocate() }
}

/// Rows that the horizontal pass treats at once: 16 pixels of 3 bytes make three vectors.
private let rowGroup = 16

/// Half a unit of the result, in units of the weights.
private var half: SIMD16<Int32> { SIMD16(repeating: 1 << (ResampleTable.precision - 1)) }

/// The horizontal pass; `source` starts at the first pixel that is read. Sixteen rows are turned so that the pixels of one column lie together,
/// and every weight then multiplies whole vectors.
private func resampleRows(
  _ source: UnsafePointer<UInt8>, rowBytes: Int, rows: Int, table: ResampleTable,
  columns: Range<Int>, tile: UnsafeMutablePointer<UInt8>, output: UnsafeMutablePointer<UInt8>,
  outputRowBytes: Int
) {
  let read = table.sourceRange(of: columns)
  let taps = table.taps
  let half = half
  let precision = ResampleTable.precision
  withUnsafeTemporaryAllocation(byteCount: 48, alignment: 16) { raw in
    guard let column = raw.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    var start = 0
    while start < rows {
      let count = min(rowGroup, rows - start)
      for row in 0..<count {
        let from = source + (start + row) * rowBytes
        let to = tile + 3 * row
        for x in 0..<read.count {
          to[48 &* x] = from[3 &* x]
          to[48 &* x &+ 1] = from[3 &* x &+ 1]
          to[48 &* x &+ 2] = from[3 &* x &+ 2]
        }
      }
      for x in columns {
        let weights = table.coefficients
        let first = Int(table.firsts[x]) - read.lowerBound
        let terms = Int(table.counts[x])
        weights.withUnsafeBufferPointer { weights in
          guard let weights = weights.baseAddress.map({ $0 + x * taps }) else { return }
          var sum0 = half
          var sum1 = half
          var sum2 = half
          let from = UnsafePointer(tile) + 48 * first
          for k in 0..<terms {
            let weight = weights[k]
            sum0 &+= widenedBytes(from, 48 &* k) &* weight
            sum1 &+= widenedBytes(from, 48 &* k &+ 16) &* weight
            sum2 &+= widenedBytes(from, 48 &* k &+ 32) &* weight
          }
          let bytes = UnsafeMutableRawPointer(column)
          bytes.storeBytes(of: clippedBytes(sum0 &>> precision), as: SIMD16<UInt8>.self)
          bytes.storeBytes(
            of: clippedBytes(sum1 &>> precision), toByteOffset: 16, as: SIMD16<UInt8>.self)
          bytes.storeBytes(
            of: clippedBytes(sum2 &>> precision), toByteOffset: 32, as: SIMD16<UInt8>.self)
        }
        let to = output + (start * outputRowBytes + 3 * (x - columns.lowerBound))
        for row in 0..<count {
          to[row &* outputRowBytes] = column[3 &* row]
          to[row &* outputRowBytes &+ 1] = column[3 &* row &+ 1]
          to[row &* outputRowBytes &+ 2] = column[3 &* row &+ 2]
        }
      }
      start += count
    }
  }
}

/// The vertical pass; `source` starts at the first row that is read, `width` is in bytes. Every
/// output row is a weighted sum of source rows.
private func resampleColumns(
  _ source: UnsafePointer<UInt8>, rowBytes: Int, width: Int, table: ResampleTable,
  rows: Range<Int>, output: UnsafeMutablePointer<UInt8>, outputRowBytes: Int
) {
  let firstRow = table.sourceRange(of: rows).lowerBound
  let taps = table.taps
  let half = half
  let precision = ResampleTable.precision
  table.coefficients.withUnsafeBufferPointer { coefficients in
    guard let coefficients = coefficients.baseAddress else { return }
    for row in rows {
      let weights = coefficients + row * taps
      let from = source + (Int(table.firsts[row]) - firstRow) * rowBytes
      let terms = Int(table.counts[row])
      let to = output + (row - rows.lowerBound) * outputRowBytes
      var x = 0
      while x &+ 16 <= width {
        var sum = half
        for k in 0..<terms { sum &+= widenedBytes(from, k &* rowBytes &+ x) &* weights[k] }
        UnsafeMutableRawPointer(to).storeBytes(
          of: clippedBytes(sum &>> precision), toByteOffset: x, as: SIMD16<UInt8>.self)
        x &+= 16
      }
      while x < width {
        var sum: Int32 = 1 << (precision - 1)
        for k in 0..<terms { sum &+= Int32(from[k &* rowBytes &+ x]) &* weights[k] }
        to[x] = UInt8(min(max(sum >> precision, 0), 255))
        x &+= 1
      }
    }
  }
}
