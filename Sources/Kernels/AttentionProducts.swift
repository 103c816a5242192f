/// The matrix products of one head of attention on the convolutions' microkernels.
///
/// A head's keys and values are brought into the microkernels' order once; its queries are then
/// taken a block at a time, so that what a block needs stays in the second-level cache.
struct AttentionProducts {
  /// Queries of a block: a multiple of the microkernels' heights.
  static let block = 54

  let tokens: Int
  let size: Int
  /// The columns that are tokens, and those that are channels of the head.
  let tokenPanels: Table<Panel>
  let channelPanels: Table<Panel>
  /// The latter for `multiplyTransposed`, whose tiles are narrower.
  private let outerPanels: Table<Panel>
  /// Both counts in whole vectors.
  let tokenColumns: Int
  let channelColumns: Int
  /// Floats of memory that a worker needs.
  let workerCount: Int
  private let spareCount: Int
  private let packedTokens: Int
  private let packedChannels: Int

  init(tokens: Int, size: Int, isTrained: Bool) {
    self.tokens = tokens
    self.size = size
    tokenPanels = Table(Panel.cut(tokens, limit: 4))
    channelPanels = Table(Panel.cut(size, limit: 4))
    outerPanels = Table(Panel.cut(size, limit: 3))
    tokenColumns = (tokens + 15) & ~15
    channelColumns = (size + 15) & ~15
    packedTokens = size * tokenColumns
    packedChannels = tokens * channelColumns
    spareCount = max(tokenColumns, channelColumns)
    let passes = isTrained ? 2 : 1
    let tables = 2 * (2 * Self.tableCount + Self.block)
    let blocks = passes * Self.block * (tokenColumns + (isTrained ? channelColumns : 0))
    workerCount =
      (passes * (packedTokens + packedChannels) + blocks + spareCount + GatherTile.temporaryCount
        + tables + 31) & ~15
  }

  /// Entries of the tables: a microkernel reads and writes a few rows more.
  private static let tableCount = block + gatherOverhang

  /// A worker's memory.
  struct Places {
    /// Keys and values with a channel's tokens in a row.
    let keysByChannel: UnsafeMutablePointer<Float>
    let valuesByChannel: UnsafeMutablePointer<Float>
    /// Keys and values with a token's channels in a row.
    let keys: UnsafeMutablePointer<Float>
    let values: UnsafeMutablePointer<Float>
    /// A block's shares and their gradients, [query][token].
    let shares: UnsafeMutablePointer<Float>
    let gradients: UnsafeMutablePointer<Float>
    /// A block's queries and output gradients, packed.
    let queries: UnsafeMutablePointer<Float>
    let outputGradients: UnsafeMutablePointer<Float>
    fileprivate let spare: UnsafeMutablePointer<Float>
    fileprivate let temporary: UnsafeMutablePointer<Float>
    fileprivate let table: UnsafeMutablePointer<RowPointer>
    fileprivate let targets: UnsafeMutablePointer<TargetPointer>
    fileprivate let ahead: UnsafeMutablePointer<RowPointer>
  }

  /// The places in a worker's memory; those of training lie behind those of inference.
  func places(_ memory: UnsafeMutablePointer<Float>) -> Places {
    var next = UnsafeMutableRawPointer(memory)
    func take<T>(_ count: Int, _: T.Type) -> UnsafeMutablePointer<T> {
      defer { next += count * MemoryLayout<T>.stride }
      return next.assumingMemoryBound(to: T.self)
    }
    let table = take(Self.tableCount, RowPointer.self)
    let targets = take(Self.tableCount, TargetPointer.self)
    let ahead = take(Self.block, RowPointer.self)
    let temporary = take(GatherTile.temporaryCount, Float.self)
    let spare = take(spareCount, Float.self)
    let keysByChannel = take(packedTokens, Float.self)
    let values = take(packedChannels, Float.self)
    let shares = take(Self.block * tokenColumns, Float.self)
    return Places(
      keysByChannel: keysByChannel, valuesByChannel: take(packedTokens, Float.self),
      keys: take(packedChannels, Float.self), values: values, shares: shares,
      gradients: take(Self.block * tokenColumns, Float.self),
      queries: take(Self.block * channelColumns, Float.self),
      outputGradients: take(Self.block * channelColumns, Float.self), spare: spare,
      temporary: temporary, table: table, targets: targets, ahead: ahead)
  }

  /// Packs the transpose of all tokens' channels, `stride` floats from token to token.
  func packTransposed(
    _ source: UnsafePointer<Float>, stride: Int, scale: Float = 1,
    into packed: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<tokenPanels.count {
      let panel = tokenPanels.base[index]
      packTransposedPanel(
        source + panel.column &* stride, stride: stride, panel, depth: 0..<size,
        into: packed + panel.column &* size)
    }
    if scale != 1 { ScaledRow(values: packed, factor: scale).cover(packedTokens) }
  }

  /// Packs the channels of `count` tokens, `stride` floats from token to token, for `multiply` or for
  /// `multiplyTransposed`.
  func pack(
    _ source: UnsafePointer<Float>, count: Int, stride: Int, scale: Float = 1,
    isTransposed: Bool = false, into packed: UnsafeMutablePointer<Float>
  ) {
    let panels = isTransposed ? outerPanels : channelPanels
    for index in 0..<panels.count {
      let panel = panels.base[index]
      packPanel(
        source + panel.column, stride: stride, panel, count: count,
        into: packed + panel.column &* count)
    }
    if scale != 1 { ScaledRow(values: packed, factor: scale).cover(count &* channelColumns) }
  }

  /// target [rows, columns of the panels] = source [rows, depth] * a packed matrix of `depth` rows.
  ///
  /// - Parameter isPadded: whether the target has room for whole vectors.
  func multiply(
    rows: Int, depth: Int, _ source: UnsafePointer<Float>, stride: Int,
    _ packed: UnsafePointer<Float>, _ panels: Table<Panel>, isPadded: Bool = false,
    to target: UnsafeMutablePointer<Float>, targetStride: Int, _ places: Places
  ) {
    for row in 0..<Self.tableCount {
      places.table[row] = source + min(row, rows &- 1) &* stride
    }
    for row in 0..<Self.tableCount {
      places.targets[row] = row < rows ? target + row &* targetStride : places.spare
    }
    for index in 0..<panels.count {
      let panel = panels.base[index]
      let width = panel.vectors &* 16
      let weights = packed + panel.column &* depth
      gatherRows(
        rows, vectors: panel.vectors,
        GatherTile(
          taps: 1, depth: depth, table: places.table, tableStride: 0,
          weights: UnsafeRawPointer(weights), step: width &* 4, targets: places.targets,
          column: panel.column,
          width: isPadded ? width : panel.width, accumulate: false, temporary: places.temporary,
          ahead: .none(weights)))
    }
  }

  /// target [tokens, size] = (or += unless `isFirst`) the transpose of source [rows, tokens] times
  /// packed rows of channels.
  func multiplyTransposed(
    rows: Int, _ source: UnsafePointer<Float>, _ packed: UnsafePointer<Float>, isFirst: Bool,
    zeros: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, targetStride: Int,
    _ places: Places
  ) {
    for row in 0..<rows {
      places.table[row] = source + row &* tokenColumns
      places.ahead[row] = packed
    }
    for index in 0..<outerPanels.count {
      let panel = outerPanels.base[index]
      let sums = target + panel.column
      outerRows(
        tokens, vectors: panel.vectors, temporary: places.temporary,
        OuterTile(
          pixels: rows, table: places.table, offset: 0, columns: packed + panel.column &* rows,
          columnsStep: panel.vectors &* 64, target: sums, stride: targetStride, width: panel.width,
          initial: isFirst ? zeros : UnsafePointer(sums),
          initialStride: isFirst ? 0 : targetStride, ahead: places.ahead))
    }
  }
}
