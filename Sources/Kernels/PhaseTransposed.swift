internal import CProcessor

/// The gradient of the input of a 3x3 convolution of stride 2, by tiles (`PhaseTiles`): each phase of the
/// input's gradient is a convolution of stride 1 of the outputs' gradient, and all of them read the same
/// values.
///
/// A number is summed by one task in an order that no thread count and no other image changes.
struct PhaseTransposed: TiledProduct {
  let plan: WinogradPlan
  /// Channels of the outputs' gradient and of the input's.
  private let depth: Int
  private let inputs: Int
  private let padding: Int
  private let packing: WeightPacking
  private let filters: PhaseFilters
  private let valueCount: Int
  private let productStep: Int

  /// The point at which filters of one tap have no value: they have the first or the second of two
  /// taps, according to where the two lie.
  private let missing: Int
  /// Rows from a tile's first to the first that it reads.
  private var shift: Int { padding - 1 }

  /// Plans the product; `packing` packs the filters for it, their taps in the given order.
  init(_ shape: ConvolutionShape, _ packing: WeightPacking, taps: [Int]) {
    (depth, inputs) = (shape.outputChannels, shape.inputChannels)
    padding = shape.padTop
    self.packing = packing
    let fitting = 48 * 1_024 / (PhaseTiles.products * depth)
    plan = WinogradPlan(shape, tiles: max(12, min(30, fitting)), groups: 8)
    let single = 1 - padding
    let missing = single == 0 ? PhaseTiles.points - 1 : 0
    self.missing = missing
    var places: [Int: Int] = [:]
    PhaseTiles.forEachPhase { phase in
      for product in 0..<PhaseTiles.products
      where PhaseTiles.phases(product, missing: missing).contains(phase.index) {
        places[product * 4 + phase.index] = places.count
      }
    }
    filters = PhaseFilters(
      depth: depth, slots: (0..<9).map { taps.firstIndex(of: $0) ?? 0 }, isReversed: true,
      single: single
    ) { product, phase in places[product * 4 + phase] }
    valueCount =
      PhaseTiles.products * Winograd.step(TileLines(tiles: plan.tilesPerBlock).count(depth))
    productStep = Winograd.step((plan.tilesPerBlock + TileProduct.overhang) * packing.widest)
  }

  var filterCount: Int { PhaseTiles.filterValues * depth * packing.columns }
  var sharedCount: Int { 0 }
  var workerCount: Int { (valueCount + PhaseTiles.products * productStep + 63) & ~31 }

  func transform(
    _ packed: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    filters.transform(packed, packing, to: target, pool: pool)
  }

  func run(
    filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, zeros: UnsafePointer<Float>,
    shared: UnsafeMutablePointer<Float>, memory: WorkMemory, pool: ThreadPool,
    finish: (FinishedRows) -> Void
  ) {
    pool.runOnWorkers(plan.blocks) { block, worker in
      compute(
        block, filters: filters, source: source, target: target, accumulate: accumulate,
        zeros: zeros, direction: pool.direction, memory: memory.own(worker))
    }
  }

  private func compute(
    _ block: Int, filters: UnsafePointer<Float>, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, zeros: UnsafePointer<Float>,
    direction: Int, memory: UnsafeMutablePointer<Float>
  ) {
    let (depth, missing) = (depth, missing)
    let values = memory
    let products = values + valueCount
    let lines = TileLines(tiles: plan.tiles(block))
    let valueStep = Winograd.step(lines.count(depth))
    plan.forEachRow(block) { row in
      let rows: InlineArray<5, RowPointer> = plan.rows(
        row, shift: shift, source: source, channels: depth, zeros: zeros)
      for column in 0..<plan.columns {
        PhaseGradients(
          rows: rows, first: column &* Winograd.outputs &+ shift, width: plan.pitch,
          channels: depth, values: values, lines: lines, tile: row.tile &+ column,
          step: valueStep
        ).coverRegisters(from: 0, to: depth)
      }
    }
    let next = plan.pixels(max(0, min(block &+ direction, plan.blocks &- 1)))
    var sourceAhead = ReadAhead(
      source + next.lowerBound &* depth, count: next.count &* depth,
      slots: PhaseTiles.filterValues &* packing.panels.count)
    for index in 0..<packing.panels.count {
      let panel = packing.panels.base[index]
      let width = panel.vectors &* 16
      let passes = TileProduct.passes(lines.tiles, vectors: panel.vectors)
      var weights = filters + PhaseTiles.filterValues &* depth &* panel.column
      PhaseTiles.forEachPhase { phase in
        for product in 0..<PhaseTiles.products
        where PhaseTiles.phases(product, missing: missing).contains(phase.index) {
          sourceAhead.ask()
          var tile = TileProduct(
            values: UnsafePointer(values + product &* valueStep), lines: lines, depth: depth,
            weights: weights, target: products + product &* productStep,
            ahead: UnsafeRawPointer(weights + depth &* width),
            aheadStep: (width &* 4 &+ passes &- 1) / passes)
          tile.run(vectors: panel.vectors)
          weights += depth &* width
        }
        write(
          phase, block, products, to: target + panel.column, channels: panel.width, width,
          accumulate: accumulate)
      }
    }
  }

  /// Writes some channels of a phase from their products.
  @inline(__always)
  private func write(
    _ phase: PhaseTiles.Phase, _ block: Int, _ products: UnsafePointer<Float>,
    to target: UnsafeMutablePointer<Float>, channels: Int, _ width: Int, accumulate: Bool
  ) {
    // Where the two taps lie in the input's rows and columns, and the one.
    let row0 = phase.isSingleRow ? 1 &- padding : padding
    let column0 = phase.isSingleColumn ? 1 &- padding : padding
    plan.forEachRow(block) { row in
      let first = 4 &* row.image &+ (2 &* row.row &+ row0) &* 2 &* plan.pitch &+ column0
      for column in 0..<plan.columns {
        let x = column &* Winograd.outputs
        TileOutputs(
          form: .phased, products: products + (row.tile &+ column) &* width, step: productStep,
          target: target + (first &+ 2 &* x) &* inputs, pitch: 4 &* plan.pitch &* inputs,
          channels: 2 &* inputs, rows: plan.height(row), columns: plan.pitch &- x,
          accumulate: accumulate, isSingleRow: phase.isSingleRow,
          isSingleColumn: phase.isSingleColumn, missing: missing
        ).coverRegisters(from: 0, to: channels)
      }
    }
  }
}

/// The values of a tile's part of the outputs' gradient.
private struct PhaseGradients: ChannelGroup {
  /// The rows that the tile reads, where its first column is (it may be before the row), and how many
  /// pixels a row has.
  let rows: InlineArray<5, RowPointer>
  let first: Int
  let width: Int
  let channels: Int
  /// Those of the block, [product] of `TileLines`, products `step` floats apart.
  let values: UnsafeMutablePointer<Float>
  let lines: TileLines
  let tile: Int
  let step: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let offset = first &* channels &+ c
    let place = values + lines.place(tile: tile, channel: c)
    if first >= 0 && first &+ PhaseTiles.points <= width {
      return transform(place) { L.load(rows[$0] + (offset &+ $1 &* channels)) }
    }
    transform(place) {
      let x = first &+ $1
      return x >= 0 && x < width ? L.load(rows[$0] + (offset &+ $1 &* channels)) : L(splat: 0)
    }
  }

  @inline(__always)
  private func transform<L: Lanes>(
    _ place: UnsafeMutablePointer<Float>, _ load: (_ row: Int, _ column: Int) -> L
  ) {
    transformSquare(phaseInput, load) {
      ($2 as L).store(place + ($0 &* PhaseTiles.points &+ $1) &* step)
    }
  }
}
