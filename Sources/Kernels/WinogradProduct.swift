internal import CProcessor

/// A 3x3 convolution of stride 1, or its transpose, by tiles: the input's values at the six by six
/// points, a matrix product for each of them, and the sums of the tiles from the products.
///
/// An output is summed by one task in an order that no thread count and no other image changes.
struct WinogradProduct: TiledBlocks {
  let plan: WinogradPlan
  /// Channels of the input.
  private let depth: Int
  private let outputs: Int
  /// The filters as the plain sum reads them, [panel][tap][depth][panel width].
  private let packing: WeightPacking
  /// Whether the taps run from the last to the first: the transposed convolution.
  private let isTransposed: Bool
  /// The input's values are computed once for all tasks where blocks are few: then several tasks
  /// share a block.
  private let isShared: Bool
  private let panelsPerGroup: Int
  private let panelGroups: Int
  /// Floats of a block's values, [product] of `TileLines`.
  private let valueCount: Int
  /// Floats from product to product of a panel's, [product][tile][panel width].
  private let productStep: Int
  private let placeCount: Int

  /// Tiles of a block: few enough that what a block needs between its steps stays in the second-level
  /// cache. Filters that stay there too need most of it; larger ones pass through it once for every
  /// block, and the fewer blocks, the better.
  private static func tiles(depth: Int, columns: Int) -> Int {
    let isSmall = Winograd.products * depth * columns <= 384 * 1_024
    return isSmall ? max(8, min(30, 40 * 1_024 / (Winograd.products * depth))) : 30
  }

  /// Plans the product; `packing` packs the filters for it. Unless it `sharesBlocks` a block is
  /// always one task.
  init(
    _ shape: ConvolutionShape, _ packing: WeightPacking, isTransposed: Bool,
    sharesBlocks: Bool = true
  ) {
    depth = isTransposed ? shape.outputChannels : shape.inputChannels
    plan = WinogradPlan(shape, tiles: Self.tiles(depth: depth, columns: packing.columns))
    outputs = isTransposed ? shape.inputChannels : shape.outputChannels
    self.packing = packing
    self.isTransposed = isTransposed
    let panels = packing.panels.count
    isShared = sharesBlocks && plan.blocks < 8 && panels > 1
    let wanted = isShared ? min(panels, (8 + plan.blocks - 1) / plan.blocks) : 1
    panelsPerGroup = (panels + wanted - 1) / wanted
    panelGroups = (panels + panelsPerGroup - 1) / panelsPerGroup
    valueCount =
      Winograd.products * Winograd.step(TileLines(tiles: plan.tilesPerBlock).count(depth))
    productStep = Winograd.step((plan.tilesPerBlock + TileProduct.overhang) * packing.widest)
    placeCount =
      Winograd.products * productStep + WinogradInputs.columnCount + 2 * plan.pixelsPerBlock + 32
  }

  /// Floats of the transformed filters.
  var filterCount: Int { Winograd.products * depth * packing.columns }

  /// Floats of memory for all workers that `run` needs.
  var sharedCount: Int { isShared ? plan.blocks * valueCount : 0 }

  /// Floats of a worker's own memory, for one block at a time: its values and its places.
  var workerCount: Int { (placeCount + (isShared ? 0 : valueCount) + 31) & ~15 }

  /// Transforms packed filters to `filters`, [panel][product][depth][panel width].
  func transform(
    _ packed: UnsafePointer<Float>, to filters: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let depth = depth
    packing.panels.forEach(rows: depth, chunk: 16, pool) { panel, channel in
      let width = panel.vectors &* 16
      WinogradFilter(
        taps: packed + (9 &* depth &* panel.column &+ channel &* width),
        values: filters + (Winograd.products &* depth &* panel.column &+ channel &* width),
        step: depth &* width, isReversed: isTransposed
      ).coverRegisters(from: 0, to: width)
    }
  }

  /// target = (or += with `accumulate`) the convolution; `finish` is told of all outputs. `shared` has
  /// `sharedCount` floats.
  func run(
    filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, zeros: UnsafePointer<Float>,
    shared: UnsafeMutablePointer<Float>, memory: WorkMemory, pool: ThreadPool,
    finish: (FinishedRows) -> Void
  ) {
    if isShared {
      pool.runOnWorkers(plan.blocks) { block, worker in
        writeValues(
          block, source: source, zeros: zeros, to: shared + block &* valueCount,
          places(memory.own(worker)))
      }
    }
    pool.runOnWorkers(plan.blocks * panelGroups) { task, worker in
      let (block, group) = task.quotientAndRemainder(dividingBy: panelGroups)
      let places = places(memory.own(worker))
      let first = group &* panelsPerGroup
      compute(
        block, panels: first..<min(packing.panels.count, first &+ panelsPerGroup),
        filters: filters, source: source,
        values: isShared ? shared + block &* valueCount : nil,
        target: target + plan.pixels(block).lowerBound &* outputs, accumulate: accumulate,
        zeros: zeros, direction: pool.direction, places, finish: finish)
    }
  }

  /// Computes one block of a product that does not share blocks to `target`, where its first pixel
  /// goes; `memory` has `workerCount` floats. The next block is likely the one in that `direction`.
  func compute(
    _ block: Int, filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, zeros: UnsafePointer<Float>, direction: Int,
    memory: UnsafeMutablePointer<Float>, finish: (FinishedRows) -> Void
  ) {
    compute(
      block, panels: 0..<packing.panels.count, filters: filters, source: source, values: nil,
      target: target, accumulate: false, zeros: zeros, direction: direction, places(memory),
      finish: finish)
  }

  private func compute(
    _ block: Int, panels: Range<Int>, filters: UnsafePointer<Float>,
    source: UnsafePointer<Float>, values: UnsafeMutablePointer<Float>?,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, zeros: UnsafePointer<Float>,
    direction: Int, _ places: Places, finish: (FinishedRows) -> Void
  ) {
    let tiles = plan.tiles(block)
    if values == nil {
      writeValues(block, source: source, zeros: zeros, to: places.values, places)
    }
    let values = values ?? places.values
    let lines = TileLines(tiles: tiles)
    let valueStep = Winograd.step(lines.count(depth))
    let pixels = plan.pixels(block)
    // The next block's input is fetched meanwhile, but for the row that this one has read; values that
    // are shared were computed before.
    let next = plan.pixels(max(0, min(block &+ direction, plan.blocks &- 1)))
    var sourceAhead = ReadAhead(
      source + (next.lowerBound &+ direction &* plan.pitch) &* depth,
      count: isShared ? 0 : next.count &* depth, slots: Winograd.products &* panels.count)
    for pixel in 0..<pixels.count { places.pixels[pixel] = target + pixel &* outputs }
    for index in panels {
      let panel = packing.panels.base[index]
      let width = panel.vectors &* 16
      let passes = TileProduct.passes(tiles, vectors: panel.vectors)
      for product in 0..<Winograd.products {
        let weights =
          filters
          + (Winograd.products &* panel.column &+ product &* width) &* depth
        // A share of the lines that the sums will be written to.
        for pixel in TileForm.plain.share(product, of: pixels.count) {
          processor_prefetch_to_write(places.pixels[pixel] + panel.column)
        }
        sourceAhead.ask()
        var tile = TileProduct(
          values: UnsafePointer(values + product &* valueStep), lines: lines, depth: depth,
          weights: weights, target: places.products + product &* productStep,
          ahead: UnsafeRawPointer(weights + depth &* width),
          aheadStep: (width &* 4 &+ passes &- 1) / passes)
        tile.run(vectors: panel.vectors)
      }
      plan.forEachRow(block) { row in
        let first = plan.pixel(row) &- pixels.lowerBound
        for column in 0..<plan.columns {
          let x = column &* Winograd.outputs
          TileOutputs(
            form: .plain, products: places.products + (row.tile &+ column) &* width,
            step: productStep,
            target: target + ((first &+ x) &* outputs &+ panel.column),
            pitch: plan.pitch &* outputs, channels: outputs, rows: plan.height(row),
            columns: plan.pitch &- x, accumulate: accumulate
          ).coverRegisters(from: 0, to: panel.width)
        }
      }
      finish(
        FinishedRows(
          rows: UnsafePointer(places.pixels), count: pixels.count, column: panel.column,
          width: panel.width, pixel: pixels.lowerBound, part: block, isFirst: true))
    }
  }

  /// The values of a block's input at all points.
  private func writeValues(
    _ block: Int, source: UnsafePointer<Float>, zeros: UnsafePointer<Float>,
    to values: UnsafeMutablePointer<Float>, _ places: Places
  ) {
    let step = Winograd.step(TileLines(tiles: plan.tiles(block)).count(depth))
    WinogradInputs.write(
      plan, block, source: source, channels: depth, zeros: zeros, to: values, step: step,
      columns: places.columns)
  }

  /// A worker's memory.
  private struct Places {
    /// The products of a panel.
    let products: UnsafeMutablePointer<Float>
    /// The outputs of the block.
    let pixels: UnsafeMutablePointer<TargetPointer>
    let values: UnsafeMutablePointer<Float>
    let columns: UnsafeMutablePointer<Float>
  }

  @inline(__always)
  private func places(_ memory: UnsafeMutablePointer<Float>) -> Places {
    let values = memory + Winograd.products &* productStep
    let columns = values + (isShared ? 0 : valueCount)
    return Places(
      products: memory,
      pixels: UnsafeMutableRawPointer(columns + WinogradInputs.columnCount)
        .assumingMemoryBound(to: TargetPointer.self),
      values: values, columns: columns)
  }
}

/// The values of some filters.
private struct WinogradFilter: ChannelGroup {
  let taps: UnsafePointer<Float>
  let values: UnsafeMutablePointer<Float>
  let step: Int
  let isReversed: Bool

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    transformSquare(winogradFilter) {
      let tap = $0 &* 3 &+ $1
      return L.load(taps + ((isReversed ? 8 &- tap : tap) &* step &+ c))
    } _: {
      ($2 as L).store(values + (($0 &* 6 &+ $1) &* step &+ c))
    }
  }
}
