/// Rows copied for the outer products: [tile][pixel][rows of the tile], so that those of a tile lie
/// together. A tile is a few times as high as the microkernels' tiles.
enum PackedTiles {
  /// Rows of a tile: a multiple of 6 and of 8, the heights of the microkernels.
  static let rows = 24
  /// Floats between tiles: a block of pixels, and a little against cache conflicts.
  static let distance = OuterPlan.block * rows + 16

  /// Where every eighth of `count` rows lies within its pixel.
  static func offsets(_ count: Int) -> [Int] {
    stride(from: 0, to: count, by: 8).map { $0 / rows * distance + $0 % rows }
  }
}

/// The matrix of a group's sums to be cut into parts, whose rows and columns are packed for each part:
/// the larger a part, the less is packed for a product.
private struct PartCut {
  /// Tiles of rows, and panels of at most so many columns.
  let tiles: Int
  let panels: Int
  let panelWidth: Int
  let groups: Int
  /// Pixels of a group.
  let pixels: Int
  let packsRows: Bool

  /// The most sums of a part: with its packed sides they stay in a second-level cache of 1 MB.
  private static let mostSums = 384 * 384
  /// What packing a number takes, and a task beside its products, in multiply-adds of one sum.
  private static let packing = 20
  private static let task = 1 << 17

  /// The cut that is computed soonest by equal threads, the slowest of which has a quarter of a task to
  /// do when the others have none.
  func best(threads: Int) -> (tilesPerRun: Int, panelsPerPart: Int) {
    var best = (tilesPerRun: 1, panelsPerPart: 1)
    var least = Int.max
    let shares = Self.shares(of: panels)
    for run in Self.shares(of: tiles) {
      for part in shares {
        let (rows, columns) = (run.size * PackedTiles.rows, part.size * panelWidth)
        guard rows * columns <= Self.mostSums else { continue }
        let packed = columns + (packsRows ? rows : 0)
        let one = pixels * (rows * columns + Self.packing * packed) + Self.task
        let time = (groups * run.count * part.count + threads - 1) / threads * one + one / 4
        if time < least { (best, least) = ((run.size, part.size), time) }
      }
    }
    return best
  }

  /// The sizes in which a number can be shared out equally but for the last share, the largest first,
  /// and how many shares of each there are.
  private static func shares(of total: Int) -> [(size: Int, count: Int)] {
    var shares: [(size: Int, count: Int)] = []
    for count in 1...total {
      let size = (total + count - 1) / count
      if size != shares.last?.size { shares.append((size, count)) }
    }
    return shares
  }
}

/// How the gradient of a convolution's weights is cut: pixels into groups that each sum their own
/// copy (joined in order at the end), the matrix into panels and runs of tiles.
struct OuterPlan {
  /// The most pixels that are summed in registers before they are added to memory.
  static let block = GatherPlan.block
  /// Floats of 16 packed columns of a block, and a little against cache conflicts.
  static let vectorDistance = block * 16 + 16
  private static let tile = PackedTiles.rows

  let panels: Table<Panel>
  let groups: Int
  let pixelsPerGroup: Int
  /// Pixels that are summed in registers: equal shares of a group that is only a few blocks.
  let pixelsPerBlock: Int
  /// The matrix of sums: taps * depth rows of `columns` floats (padded to whole vectors).
  let rows: Int
  let columns: Int
  let tilesPerTap: Int
  /// The parts of a group's matrix: runs of tiles times groups of panels.
  let tilesPerRun: Int
  let runs: Int
  let panelsPerPart: Int
  let panelParts: Int
  /// Whether the rows' side is copied tile by tile: pixel by pixel its tiles would be far apart.
  let packsRows: Bool
  /// Whether the columns' side is copied panel by panel: where they are no whole vectors, or read by
  /// many taps.
  let packsColumns: Bool
  /// Where every eighth packed row of a part lies within its pixel.
  let rowOffsets: Table<Int>
  /// Floats of the groups' sums, and of a worker's own memory.
  let sumsCount: Int
  let workerCount: Int
  let tableCount: Int
  /// The sums of a part between its blocks of pixels: a panel's rows lie together, where those of the
  /// matrix would be pages apart.
  let partSumsCount: Int
  /// The packed sides of a part and a block of pixels.
  let packedColumnsCount: Int
  let packedRowsCount: Int
  /// Lines that are fetched ahead: some for each of the microkernel's tiles of a stretch.
  let aheadCount: Int

  init(gather: GatherPlan, outputs: Int, threads: Int) {
    let panels = Panel.cut(outputs, limit: 3)
    self.panels = Table(panels)
    let panelWidth = (panels.map(\.vectors).max() ?? 1) * 16
    let rows = gather.taps * gather.depth
    let columns = (outputs + 15) & ~15
    self.rows = rows
    self.columns = columns
    tilesPerTap = gather.depth == 9 ? 1 : (gather.depth + Self.tile - 1) / Self.tile
    let tiles = gather.taps * tilesPerTap
    packsRows = gather.isPlain && gather.depth != 9
    packsColumns = columns != outputs || !packsRows
    // Where a matrix gives few tasks, pixels are shared out as long as the copies of the sums are small
    // beside the work. That decides the order of a sum: it depends on the sizes alone.
    let work = rows * columns * gather.pixels
    let shareSide = 192
    let shareParts =
      gather.isPlain
      ? ((rows + shareSide - 1) / shareSide) * ((columns + shareSide - 1) / shareSide) : 1
    let shares = min(16, work >> 17) / shareParts
    let least = rows * columns <= 50_000 ? 512 : 1_024
    let fits = rows * columns <= 100_000
    let wantedGroups = fits ? max(1, min(8, gather.pixels / least, shares)) : 1
    let share = (gather.pixels + wantedGroups - 1) / wantedGroups
    let blocks = (share + Self.block - 1) / Self.block
    pixelsPerBlock = blocks < 16 ? (share + blocks - 1) / blocks : Self.block
    pixelsPerGroup = blocks * pixelsPerBlock
    groups = (gather.pixels + pixelsPerGroup - 1) / pixelsPerGroup
    (tilesPerRun, panelsPerPart) = PartCut(
      tiles: tiles, panels: panels.count, panelWidth: panelWidth, groups: groups,
      pixels: pixelsPerGroup, packsRows: packsRows
    ).best(threads: threads)
    runs = (tiles + tilesPerRun - 1) / tilesPerRun
    rowOffsets = Table(packsRows ? PackedTiles.offsets(tilesPerRun * Self.tile) : [])
    panelParts = (panels.count + panelsPerPart - 1) / panelsPerPart
    sumsCount = groups > 1 ? groups * rows * columns : 0
    tableCount = Self.block * gather.taps
    partSumsCount =
      pixelsPerGroup > pixelsPerBlock ? tilesPerRun * Self.tile * panelsPerPart * panelWidth : 0
    let stretch = packsRows ? Self.tile : min(gather.depth, tilesPerRun * Self.tile)
    aheadCount =
      OuterTile.aheadCount(pixels: pixelsPerBlock)
      * ((1...stretch).map(outerTileCount).max() ?? 0)
    packedColumnsCount =
      packsColumns ? panelsPerPart * panelWidth / 16 * Self.vectorDistance : 0
    packedRowsCount = packsRows ? tilesPerRun * PackedTiles.distance : 0
    let worker =
      2 * (tableCount + Self.block) + partSumsCount + packedColumnsCount + packedRowsCount
      + gather.patchCount + outputs + 64 + 16 * 48 + 2 * aheadCount
    workerCount = (worker + 31) & ~15
  }
}
