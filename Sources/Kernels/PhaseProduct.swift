internal import CProcessor

/// A 3x3 convolution of stride 2 by tiles (`PhaseTiles`): the values of the input's phases at the pairs of
/// points, a matrix product for each of them over the channels of all its phases, and the outputs from
/// the products.
///
/// An output is summed by one task in an order that no thread count and no other image changes.
struct PhaseProduct: TiledBlocks {
  let plan: WinogradPlan
  private let depth: Int
  private let outputs: Int
  private let padding: Int
  private let packing: WeightPacking
  private let filters: PhaseFilters
  private let valueCount: Int
  /// Floats from product to product of a panel's, [product][tile][panel width].
  private let productStep: Int

  /// Plans the product; `packing` packs the filters for it.
  init(_ shape: ConvolutionShape, _ packing: WeightPacking) {
    (depth, outputs) = (shape.inputChannels, shape.outputChannels)
    padding = shape.padTop
    self.packing = packing
    // A block's values stay in a second-level cache.
    let fitting = 48 * 1_024 / (4 * PhaseTiles.products * depth)
    plan = WinogradPlan(shape, tiles: max(12, min(30, fitting)), groups: 8)
    filters = PhaseFilters(
      depth: depth, slots: Array(0..<9), isReversed: false, single: 0
    ) { product, phase in
      let phases = TileForm.phased.phases(product)
      guard phases.contains(phase) else { return nil }
      return PhaseTiles.phasesBefore(product) + phase - phases.lowerBound
    }
    valueCount =
      PhaseTiles.products * Winograd.step(TileLines(tiles: plan.tilesPerBlock).count(4 * depth))
    productStep = Winograd.step((plan.tilesPerBlock + TileProduct.overhang) * packing.widest)
  }

  /// Floats of the transformed filters.
  var filterCount: Int { PhaseTiles.filterValues * depth * packing.columns }

  /// Floats of a worker's own memory.
  var workerCount: Int {
    (valueCount + PhaseTiles.products * productStep + 2 * plan.pixelsPerBlock + 63) & ~31
  }

  var sharedCount: Int { 0 }

  func run(
    filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, zeros: UnsafePointer<Float>,
    shared: UnsafeMutablePointer<Float>, memory: WorkMemory, pool: ThreadPool,
    finish: (FinishedRows) -> Void
  ) {
    precondition(!accumulate, "the outputs of a forward pass are written")
    pool.runOnWorkers(plan.blocks) { block, worker in
      compute(
        block, filters: filters, source: source,
        target: target + plan.pixels(block).lowerBound &* outputs, zeros: zeros,
        direction: pool.direction, memory: memory.own(worker), finish: finish)
    }
  }

  /// Transforms packed filters to [panel][product][phases' channels][panel width].
  func transform(
    _ packed: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    filters.transform(packed, packing, to: target, pool: pool)
  }

  /// Computes one block to `target`, where its first pixel goes; `memory` has `workerCount` floats. The
  /// next block is likely the one in that `direction`.
  func compute(
    _ block: Int, filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, zeros: UnsafePointer<Float>, direction: Int,
    memory: UnsafeMutablePointer<Float>, finish: (FinishedRows) -> Void
  ) {
    let (depth, outputs) = (depth, outputs)
    let values = memory
    let products = values + valueCount
    let pixels = UnsafeMutableRawPointer(products + PhaseTiles.products &* productStep)
      .assumingMemoryBound(to: TargetPointer.self)
    let lines = TileLines(tiles: plan.tiles(block))
    let valueStep = Winograd.step(lines.count(4 &* depth))
    PhaseInputs.write(
      plan, block, padding: padding, source: source, channels: depth, zeros: zeros, to: values,
      step: valueStep)
    let range = plan.pixels(block)
    for pixel in 0..<range.count { pixels[pixel] = target + pixel &* outputs }
    let next = plan.pixels(max(0, min(block &+ direction, plan.blocks &- 1)))
    var sourceAhead = ReadAhead(
      source + 4 &* next.lowerBound &* depth, count: 4 &* next.count &* depth,
      slots: PhaseTiles.products &* packing.panels.count)
    for index in 0..<packing.panels.count {
      let panel = packing.panels.base[index]
      let width = panel.vectors &* 16
      let passes = TileProduct.passes(lines.tiles, vectors: panel.vectors)
      var weights = filters + PhaseTiles.filterValues &* depth &* panel.column
      for product in 0..<PhaseTiles.products {
        let phases = TileForm.phased.phases(product)
        for pixel in TileForm.phased.share(product, of: range.count) {
          processor_prefetch_to_write(pixels[pixel] + panel.column)
        }
        sourceAhead.ask()
        let count = phases.count &* depth
        var tile = TileProduct(
          values: UnsafePointer(
            values
              + (product &* valueStep
                &+ lines.place(tile: 0, channel: phases.lowerBound &* depth))),
          lines: lines, depth: count, weights: weights,
          target: products + product &* productStep,
          ahead: UnsafeRawPointer(weights + count &* width),
          aheadStep: (width &* 4 &+ passes &- 1) / passes)
        tile.run(vectors: panel.vectors)
        weights += count &* width
      }
      plan.forEachRow(block) { row in
        let first = plan.pixel(row) &- range.lowerBound
        for column in 0..<plan.columns {
          let x = column &* Winograd.outputs
          TileOutputs(
            form: .phased, products: products + (row.tile &+ column) &* width, step: productStep,
            target: target + ((first &+ x) &* outputs &+ panel.column),
            pitch: plan.pitch &* outputs, channels: outputs, rows: plan.height(row),
            columns: plan.pitch &- x, accumulate: false
          ).coverRegisters(from: 0, to: panel.width)
        }
      }
      finish(
        FinishedRows(
          rows: UnsafePointer(pixels), count: range.count, column: panel.column,
          width: panel.width, pixel: range.lowerBound, part: block, isFirst: true))
    }
  }
}
