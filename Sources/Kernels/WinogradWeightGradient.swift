internal import CProcessor

/// The gradient of the filters of a 3x3 convolution, by tiles: the values of the input
/// times the gradients of the products, summed over all tiles for each of the points, and
/// transformed to the filters' once at the end.
///
/// Tiles are cut into groups that each sum their own copy, and the outputs into parts; the copies
/// are joined in order.
struct WinogradWeightGradient {
  private let form: TileForm
  private let plan: WinogradPlan
  private let padding: Int
  private let inputs: Int
  private let outputs: Int
  private let panels: Table<Panel>
  private let columns: Int
  private let widest: Int
  private let groups: Int
  private let blocksPerGroup: Int
  private let panelsPerPart: Int
  private let parts: Int
  private let valueCount: Int
  /// Floats of a worker's own memory.
  let workerCount: Int

  /// The most tiles of a block.
  private static let tiles = 96

  init(_ shape: ConvolutionShape, _ form: TileForm) {
    self.form = form
    padding = shape.padTop
    inputs = shape.inputChannels
    outputs = shape.outputChannels
    // The more tiles, the fewer times the sums pass through memory; the values and gradients stay in a
    // quarter of a second-level cache of 1 MB, or three eighths where there are many sums.
    let panels = Panel.cut(shape.outputChannels, limit: 3)
    let widest = 16 * (panels.map(\.vectors).max() ?? 1)
    let room = (form == .plain ? 64 : 96) * 1_024
    let fitting = room / (form.products * (form.phases * shape.inputChannels + widest))
    // A group's copy costs as much as a few tiles. Few groups are a power of two, which threads
    // share equally.
    let most = WinogradPlan.tiles(shape) / (form == .plain ? 160 : 128)
    let many = form == .plain ? 8 : 16
    let wanted = most >= many ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1
    plan = WinogradPlan(shape, tiles: max(24, min(Self.tiles, fitting)), groups: wanted)
    self.panels = Table(panels)
    self.widest = widest
    columns = (shape.outputChannels + 15) & ~15
    blocksPerGroup = (plan.blocks + wanted - 1) / wanted
    groups = (plan.blocks + blocksPerGroup - 1) / blocksPerGroup
    // The values of the input are computed for each part.
    let wantedParts = max(1, min(8 / groups, columns / 48))
    panelsPerPart = (panels.count + wantedParts - 1) / wantedParts
    parts = (panels.count + panelsPerPart - 1) / panelsPerPart
    let lines = TileLines(tiles: plan.tilesPerBlock)
    valueCount = form.products * Winograd.step(lines.count(form.phases * inputs))
    let gradientCount = form.products * Winograd.step(plan.tilesPerBlock * widest)
    workerCount = (valueCount + gradientCount + WinogradInputs.columnCount + 31) & ~15
  }

  /// Floats of the sums of a group, [panel][product][phases' rows][panel width].
  private var sumCount: Int { form.filterValues * rows * columns }
  /// The inputs, and some more where they are no multiple of the microkernel's rows.
  private var rows: Int { TileGradient.rows(inputs) }

  /// Floats of memory for all workers.
  var sharedCount: Int { groups * sumCount }

  /// weightGradient [tap][inputs][outputs] = the gradient.
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
    let tiles = plan.tiles(block)
    let values = memory
    let gradients = values + valueCount
    let room = gradients + form.products &* Winograd.step(plan.tilesPerBlock &* widest)
    let lines = TileLines(tiles: tiles)
    let valueStep = Winograd.step(lines.count(form.phases &* inputs))
    switch form {
    case .plain:
      WinogradInputs.write(
        plan, block, source: input, channels: inputs, zeros: zeros, to: values, step: valueStep,
        columns: room)
    case .phased:
      PhaseInputs.write(
        plan, block, padding: padding, source: input, channels: inputs, zeros: zeros, to: values,
        step: valueStep)
    }
    // The next block's input is fetched meanwhile, but for the row that this one has read.
    let following = plan.pixels(min(block &+ 1, plan.blocks &- 1))
    let passes = panels.reduce(0) {
      $0 &+ TileGradient.passes(inputs, vectors: self.panels.base[$1].vectors)
    }
    let pixels = form.inputPixels
    var inputsAhead = ReadAhead(
      input + (following.lowerBound &* pixels &+ plan.pitch) &* inputs,
      count: following.count &* pixels &* inputs, slots: form.filterValues &* passes)
    for index in panels {
      let panel = self.panels.base[index]
      let width = panel.vectors &* 16
      let step = Winograd.step(tiles &* width)
      // Columns that do not exist.
      if panel.width < width { gradients.update(repeating: 0, count: form.products &* step) }
      plan.forEachRow(block) { row in
        let lines: InlineArray<4, RowPointer> = plan.rows(
          row, shift: 0, source: outputGradient + panel.column, channels: outputs, zeros: zeros)
        for column in 0..<plan.columns {
          let x = column &* Winograd.outputs
          TileOutputGradients(
            form: form, rows: lines, first: x &* outputs, channels: outputs,
            columns: plan.pitch &- x,
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
        slots: form.filterValues &* TileGradient.passes(inputs, vectors: panel.vectors))
      var target = sums + form.filterValues &* panel.column &* rows
      for product in 0..<form.products {
        let phases = form.phases(product)
        TileGradient(
          values: UnsafePointer(
            values
              + (product &* valueStep
                &+ lines.place(tile: 0, channel: phases.lowerBound &* inputs))),
          lines: lines, inputs: phases.count &* inputs,
          gradients: UnsafePointer(gradients + product &* step), target: target, isFirst: isFirst
        ).run(vectors: panel.vectors) {
          gradientsAhead.ask()
          inputsAhead.ask()
        }
        target += phases.count &* rows &* width
      }
    }
  }

  /// weightGradient = the transform of the groups' sums.
  private func join(
    _ sums: UnsafePointer<Float>, to weightGradient: UnsafeMutablePointer<Float>, pool: ThreadPool
  ) {
    let chunk = max(2, inputs * panels.count / 24)
    panels.forEach(rows: inputs, chunk: chunk, pool) { panel, channel in
      let width = panel.vectors &* 16
      let sums = sums + (form.filterValues &* rows &* panel.column &+ channel &* width)
      let target = weightGradient + (channel &* outputs &+ panel.column)
      let (step, tapStep) = (rows &* width, inputs &* outputs)
      switch form {
      case .plain:
        WinogradFilterGradient(
          sums: sums, step: step, groups: groups, groupStep: sumCount, target: target,
          tapStep: tapStep
        ).coverRegisters(from: 0, to: panel.width)
      case .phased:
        PhaseTiles.forEachPhase { phase in
          PhaseFilterGradient(
            sums: sums, step: step, phase: phase, groups: groups, groupStep: sumCount,
            target: target, tapStep: tapStep
          ).coverRegisters(from: 0, to: panel.width)
        }
      }
    }
  }
}

/// The gradient of some filters from the groups' sums.
private struct WinogradFilterGradient: ChannelGroup {
  let sums: UnsafePointer<Float>
  let step: Int
  let groups: Int
  let groupStep: Int
  let target: UnsafeMutablePointer<Float>
  /// Floats from tap to tap of the target.
  let tapStep: Int

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    transformSquare(winogradFilterTransposed) {
      L.sum(sums + (($0 &* 6 &+ $1) &* step &+ c), copies: groups, distance: groupStep)
    } _: {
      let place = target + (($0 &* 3 &+ $1) &* tapStep &+ c)
      ($2 as L).store(place)
    }
  }
}
