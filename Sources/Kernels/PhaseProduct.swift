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

  /// The point at which filters of one tap, the first of two, have no value.
  private static let missing = 4

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
      let phases = PhaseTiles.phases(product, missing: Self.missing)
      guard phases.contains(phase) else { return nil }
      return PhaseTiles.phasesBefore(product, missing: Self.missing) + phase - phases.lowerBound
    }
    let widest =
      16 * (0..<packing.panels.count).reduce(1) { max($0, packing.panels.base[$1].vectors) }
    valueCount =
      PhaseTiles.products * Winograd.step(TileLines(tiles: plan.tilesPerBlock).count(4 * depth))
    productStep = Winograd.step((plan.tilesPerBlock + TileProduct.overhang) * widest)
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
        let phases = PhaseTiles.phases(product, missing: Self.missing)
        for pixel in product &* range.count / 25..<(product &+ 1) &* range.count / 25 {
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
          PhaseOutputs(
            products: products + (row.tile &+ column) &* width, step: productStep,
            target: target + ((first &+ x) &* outputs &+ panel.column),
            pitch: plan.pitch &* outputs, channels: outputs, rows: plan.height(row),
            columns: plan.pitch &- x
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

/// The outputs of a tile from its products.
struct PhaseOutputs: ChannelGroup {
  /// Products are `step` floats apart.
  let products: UnsafePointer<Float>
  let step: Int
  let target: UnsafeMutablePointer<Float>
  /// Floats from row to row and from pixel to pixel.
  let pitch: Int
  let channels: Int
  /// The rows and columns that exist from there on.
  let rows: Int
  let columns: Int
  /// Whether rows, and columns, have no product at the `missing` point.
  var isSingleRow = false
  var isSingleColumn = false
  var missing = 0
  var accumulate = false

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let target = target + c
    if rows >= Winograd.outputs && columns >= Winograd.outputs && !accumulate {
      return transform(L.self, c) { ($2 as L).store(target + ($0 &* pitch &+ $1 &* channels)) }
    }
    transform(L.self, c) {
      guard $0 < rows, $1 < columns else { return }
      let place = target + ($0 &* pitch &+ $1 &* channels)
      (accumulate ? L.load(place) + $2 : $2 as L).store(place)
    }
  }

  @inline(__always)
  private func transform<L: Lanes>(
    _: L.Type, _ c: Int, _ emit: (_ row: Int, _ column: Int, L) -> Void
  ) {
    transformSquare(
      phaseOutput,
      {
        if isSingleRow && $0 == missing || isSingleColumn && $1 == missing { return L(splat: 0) }
        let place = products + (($0 &* PhaseTiles.points &+ $1) &* step &+ c)
        L.fetch(place + Winograd.ahead)
        return L.load(place)
      }, emit)
  }
}

/// How the filters of the phases are made from those of the convolution.
struct PhaseFilters {
  private let depth: Int
  private let slots: Table<Int>
  private let isReversed: Bool
  private let single: Int
  /// Where the values of each phase at each pair of points are, in matrices of `depth` rows from the
  /// first of a panel on; -1 where there are none.
  private let places: Table<Int>

  /// - Parameters:
  ///   - depth: the rows of a tap's matrix.
  ///   - slots: where each tap is among those that are packed.
  ///   - isReversed: whether of two taps the later one comes first: the transposed convolution.
  ///   - single: which of two taps a filter of one has.
  ///   - place: where the values of a phase at a pair of points are.
  init(
    depth: Int, slots: [Int], isReversed: Bool, single: Int,
    place: (_ product: Int, _ phase: Int) -> Int?
  ) {
    self.depth = depth
    self.slots = Table(slots)
    self.isReversed = isReversed
    self.single = single
    places = Table((0..<PhaseTiles.products * 4).map { place($0 / 4, $0 % 4) ?? -1 })
  }

  /// Transforms packed filters, [panel][tap][depth][panel width], to [panel][place][depth][panel width].
  func transform(
    _ packed: UnsafePointer<Float>, _ packing: WeightPacking,
    to target: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let (depth, panels) = (depth, packing.panels.base)
    let chunk = 16
    let chunks = (depth + chunk - 1) / chunk
    pool.run(chunks * packing.panels.count) { task in
      let panel = panels[task / chunks]
      let width = panel.vectors &* 16
      for row in task % chunks &* chunk..<min(depth, (task % chunks &+ 1) &* chunk) {
        let taps = packed + (9 &* depth &* panel.column &+ row &* width)
        let values =
          target + (PhaseTiles.filterValues &* depth &* panel.column &+ row &* width)
        PhaseTiles.forEachPhase { phase in
          PhaseFilter(
            taps: taps, slots: slots.base, phase: phase, isReversed: isReversed, single: single,
            values: values, places: places.base, step: depth &* width
          ).coverRegisters(from: 0, to: width)
        }
      }
    }
  }
}

/// The values of a phase's filters.
private struct PhaseFilter: ChannelGroup {
  let taps: UnsafePointer<Float>
  let slots: UnsafePointer<Int>
  let phase: PhaseTiles.Phase
  let isReversed: Bool
  let single: Int
  let values: UnsafeMutablePointer<Float>
  let places: UnsafePointer<Int>
  /// Floats from tap to tap and from place to place.
  let step: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var columns = InlineArray<2, InlineArray<5, L>>(
      repeating: InlineArray<5, L>(repeating: L(splat: 0)))
    for column in 0..<2 {
      var taps = InlineArray<2, L>(repeating: L(splat: 0))
      for row in 0..<2 {
        guard let y = tap(row, phase.isSingleRow), let x = tap(column, phase.isSingleColumn)
        else { continue }
        taps[row] = L.load(self.taps + (slots[y &* 3 &+ x] &* step &+ c))
      }
      columns[column] = phaseFilter(taps)
    }
    for row in 0..<PhaseTiles.points {
      let results = phaseFilter([columns[0][row], columns[1][row]] as InlineArray<2, L>)
      for column in 0..<PhaseTiles.points {
        let place = places[(row &* PhaseTiles.points &+ column) &* 4 &+ phase.index]
        if place >= 0 { results[column].store(values + (place &* step &+ c)) }
      }
    }
  }

  /// The tap of an axis that is the first or the second of the phase's filter.
  @inline(__always)
  private func tap(_ index: Int, _ isSingle: Bool) -> Int? {
    if isSingle { return index == single ? 1 : nil }
    return isReversed ? 2 &- 2 &* index : 2 &* index
  }
}
