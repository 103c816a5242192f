internal import CProcessor

/// The gradient of the filters of a 3x3 convolution of stride 2, by tiles (`PhaseTiles`): the values of
/// the input's phases times the gradients of the products, summed over all tiles for each pair of
/// points, and transformed to the filters' once at the end.
///
/// Tiles are cut into groups that each sum their own copy; the copies are joined in order.
struct PhaseWeightGradient: TiledWeightGradient {
  private let plan: WinogradPlan
  private let inputs: Int
  private let outputs: Int
  private let padding: Int
  private let panels: Table<Panel>
  private let columns: Int
  private let groups: Int
  private let blocksPerGroup: Int
  private let panelsPerPart: Int
  private let parts: Int
  private let valueCount: Int
  let workerCount: Int

  /// The point at which filters of one tap, the first of two, have no value.
  private static let missing = 4

  init(_ shape: ConvolutionShape) {
    (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    padding = shape.padTop
    let panels = Panel.cut(outputs, limit: 3)
    let widest = 16 * (panels.map(\.vectors).max() ?? 1)
    // The more tiles, the fewer times the sums pass through memory.
    let fitting = 96 * 1_024 / (PhaseTiles.products * (4 * inputs + widest))
    let tiles = WinogradPlan.tiles(shape)
    let wanted = tiles >= 2_048 ? 8 : tiles >= 512 ? 4 : tiles >= 256 ? 2 : 1
    plan = WinogradPlan(shape, tiles: max(24, min(96, fitting)), groups: wanted)
    self.panels = Table(panels)
    columns = (outputs + 15) & ~15
    blocksPerGroup = (plan.blocks + wanted - 1) / wanted
    groups = (plan.blocks + blocksPerGroup - 1) / blocksPerGroup
    // The values of the input are computed for each part.
    let wantedParts = max(1, min(8 / groups, columns / 48))
    panelsPerPart = (panels.count + wantedParts - 1) / wantedParts
    parts = (panels.count + panelsPerPart - 1) / panelsPerPart
    valueCount =
      PhaseTiles.products * Winograd.step(TileLines(tiles: plan.tilesPerBlock).count(4 * inputs))
    let gradientCount = PhaseTiles.products * Winograd.step(plan.tilesPerBlock * widest)
    workerCount = (valueCount + gradientCount + 31) & ~15
  }

  /// Floats of the sums of a group, [panel][product][phases' channels][panel width].
  private var sumCount: Int { PhaseTiles.filterValues * inputs * columns }
  var sharedCount: Int { groups * sumCount }

  func run(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>, zeros: UnsafePointer<Float>,
    memory: WorkMemory, pool: ThreadPool
  ) {
    pool.runOnWorkers(groups * parts) { task, worker in
      let (group, part) = task.quotientAndRemainder(dividingBy: parts)
      let first = part &* panelsPerPart
      let panels = first..<min(self.panels.count, first &+ panelsPerPart)
      let blocks = group &* blocksPerGroup..<min(plan.blocks, (group &+ 1) &* blocksPerGroup)
      for block in blocks {
        addBlock(
          block, isFirst: block == blocks.lowerBound, panels: panels, input: input,
          outputGradient: outputGradient, sums: memory.shared + group &* sumCount, zeros: zeros,
          memory: memory.own(worker))
      }
    }
    join(UnsafePointer(memory.shared), to: weightGradient, pool: pool)
  }

  private func addBlock(
    _ block: Int, isFirst: Bool, panels: Range<Int>, input: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>,
    zeros: UnsafePointer<Float>, memory: UnsafeMutablePointer<Float>
  ) {
    let values = memory
    let gradients = values + valueCount
    let lines = TileLines(tiles: plan.tiles(block))
    let valueStep = Winograd.step(lines.count(4 &* inputs))
    PhaseInputs.write(
      plan, block, padding: padding, source: input, channels: inputs, zeros: zeros, to: values,
      step: valueStep)
    // The next block's input is fetched meanwhile.
    let following = plan.pixels(min(block &+ 1, plan.blocks &- 1))
    let passes = panels.reduce(0) {
      $0 &+ 3 &* TileGradient.passes(inputs, vectors: self.panels.base[$1].vectors)
    }
    var inputsAhead = ReadAhead(
      input + 4 &* following.lowerBound &* inputs, count: 4 &* following.count &* inputs,
      slots: PhaseTiles.products &* passes)
    for index in panels {
      let panel = self.panels.base[index]
      let width = panel.vectors &* 16
      let step = Winograd.step(lines.tiles &* width)
      // Columns that do not exist.
      if panel.width < width {
        gradients.update(repeating: 0, count: PhaseTiles.products &* step)
      }
      plan.forEachRow(block) { row in
        let rows: InlineArray<4, RowPointer> = plan.rows(
          row, shift: 0, source: outputGradient + panel.column, channels: outputs, zeros: zeros)
        for column in 0..<plan.columns {
          let x = column &* Winograd.outputs
          PhaseOutputGradients(
            rows: rows, first: x &* outputs, channels: outputs, columns: plan.pitch &- x,
            products: gradients + (row.tile &+ column) &* width, step: step
          ).coverRegisters(from: 0, to: panel.width)
        }
      }
      // And the gradients of the next panel, or the next block's first.
      let isLast = index &+ 1 == panels.upperBound
      let next = isLast ? following : plan.pixels(block)
      let nextPanel = self.panels.base[isLast ? panels.lowerBound : index &+ 1]
      var gradientsAhead = ReadAhead(
        outputGradient + (next.lowerBound &* outputs &+ nextPanel.column), rows: next.count,
        stride: outputs, width: nextPanel.width,
        slots: PhaseTiles.products &* 3 &* TileGradient.passes(inputs, vectors: panel.vectors))
      var target = sums + PhaseTiles.filterValues &* inputs &* panel.column
      for product in 0..<PhaseTiles.products {
        let phases = PhaseTiles.phases(product, missing: Self.missing)
        TileGradient(
          values: UnsafePointer(
            values
              + (product &* valueStep
                &+ lines.place(tile: 0, channel: phases.lowerBound &* inputs))),
          lines: lines, inputs: phases.count &* inputs,
          gradients: UnsafePointer(gradients + product &* step), target: target,
          isFirst: isFirst
        ).run(vectors: panel.vectors) {
          gradientsAhead.ask()
          inputsAhead.ask()
        }
        target += phases.count &* inputs &* width
      }
    }
  }

  /// weightGradient = the transform of the groups' sums.
  private func join(
    _ sums: UnsafePointer<Float>, to weightGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let chunk = max(2, inputs * panels.count / 24)
    let chunks = (inputs + chunk - 1) / chunk
    pool.run(chunks * panels.count) { task in
      let panel = panels.base[task / chunks]
      let width = panel.vectors &* 16
      for channel in task % chunks &* chunk..<min(inputs, (task % chunks &+ 1) &* chunk) {
        PhaseTiles.forEachPhase { phase in
          PhaseFilterGradient(
            sums: sums + (PhaseTiles.filterValues &* inputs &* panel.column &+ channel &* width),
            step: inputs &* width, phase: phase, missing: Self.missing, groups: groups,
            groupStep: sumCount,
            target: weightGradient + (channel &* outputs &+ panel.column),
            tapStep: inputs &* outputs
          ).coverRegisters(from: 0, to: panel.width)
        }
      }
    }
  }
}

/// The gradients of a tile's products from those of its outputs.
private struct PhaseOutputGradients: ChannelGroup {
  /// The rows of pixels of the tile, where in them its first pixel is, and the floats of a pixel.
  let rows: InlineArray<4, RowPointer>
  let first: Int
  let channels: Int
  /// The columns that exist from there on.
  let columns: Int
  /// Products are `step` floats apart.
  let products: UnsafeMutablePointer<Float>
  let step: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    let offset = first &+ c
    if columns >= Winograd.outputs {
      return transform(c) { L.load(rows[$0] + (offset &+ $1 &* channels)) }
    }
    transform(c) {
      $1 < columns ? L.load(rows[$0] + (offset &+ $1 &* channels)) : L(splat: 0)
    }
  }

  @inline(__always)
  private func transform<L: Lanes>(_ c: Int, _ load: (_ row: Int, _ column: Int) -> L) {
    transformSquare(phaseOutputTransposed, load) {
      ($2 as L).store(products + (($0 &* PhaseTiles.points &+ $1) &* step &+ c))
    }
  }
}

/// The gradient of a phase's filters from the groups' sums.
private struct PhaseFilterGradient: ChannelGroup {
  let sums: UnsafePointer<Float>
  /// Floats from phase to phase of a product.
  let step: Int
  let phase: PhaseTiles.Phase
  let missing: Int
  let groups: Int
  let groupStep: Int
  let target: UnsafeMutablePointer<Float>
  /// Floats from tap to tap of the target.
  let tapStep: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var before = 0
    var rows = InlineArray<5, InlineArray<2, L>>(
      repeating: InlineArray<2, L>(repeating: L(splat: 0)))
    for row in 0..<PhaseTiles.points {
      var values = InlineArray<5, L>(repeating: L(splat: 0))
      for column in 0..<PhaseTiles.points {
        let phases = PhaseTiles.phases(row &* PhaseTiles.points &+ column, missing: missing)
        if phases.contains(phase.index) {
          let place = sums + ((before &+ phase.index &- phases.lowerBound) &* step &+ c)
          var sum = L.load(place)
          for group in 1..<max(1, groups) { sum = sum + L.load(place + group &* groupStep) }
          values[column] = sum
        }
        before &+= phases.count
      }
      rows[row] = phaseFilterTransposed(values)
    }
    for column in 0..<(phase.isSingleColumn ? 1 : 2) {
      var values = InlineArray<5, L>(repeating: L(splat: 0))
      for row in 0..<PhaseTiles.points { values[row] = rows[row][column] }
      let taps = phaseFilterTransposed(values)
      let x = phase.isSingleColumn ? 1 : 2 &* column
      for row in 0..<(phase.isSingleRow ? 1 : 2) {
        let y = phase.isSingleRow ? 1 : 2 &* row
        taps[row].store(target + ((y &* 3 &+ x) &* tapStep &+ c))
      }
    }
  }
}
