internal import CProcessor

/// The gradient of the filters of a 3x3 convolution of stride 1, by tiles: the values of the input
/// times the gradients of the products, summed over all tiles for each of the points, and
/// transformed to the filters' once at the end.
///
/// Tiles are cut into groups that each sum their own copy, and the outputs into parts; the copies
/// are joined in order.
struct WinogradWeightGradient: TiledWeightGradient {
  private let plan: WinogradPlan
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
  let workerCount: Int

  /// The most tiles of a block.
  private static let tiles = 96

  init(_ shape: ConvolutionShape) {
    inputs = shape.inputChannels
    outputs = shape.outputChannels
    // The more tiles, the fewer times the sums pass through memory; the values and gradients stay in a
    // quarter of a second-level cache of 1 MB.
    let panels = Panel.cut(shape.outputChannels, limit: 3)
    let widest = 16 * (panels.map(\.vectors).max() ?? 1)
    let fitting = 64 * 1_024 / (Winograd.products * (shape.inputChannels + widest))
    // A group's copy costs as much as a few tiles. Few groups are a power of two, which threads
    // share equally.
    let most = WinogradPlan.tiles(shape) / 160
    let wanted = most >= 8 ? 8 : most >= 4 ? 4 : most >= 2 ? 2 : 1
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
    valueCount =
      Winograd.products * Winograd.step(TileLines(tiles: plan.tilesPerBlock).count(inputs))
    let gradientCount = Winograd.products * Winograd.step(plan.tilesPerBlock * widest)
    workerCount = (valueCount + gradientCount + WinogradInputs.columnCount + 31) & ~15
  }

  /// Floats of the sums of a group, [panel][product][rows][panel width].
  private var sumCount: Int { Winograd.products * rows * columns }
  /// The inputs, and some more where they are no multiple of the microkernel's rows.
  private var rows: Int { TileGradient.rows(inputs) }

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
    let tiles = plan.tiles(block)
    let values = memory
    let gradients = values + valueCount
    let room = gradients + Winograd.products &* Winograd.step(plan.tilesPerBlock &* widest)
    let lines = TileLines(tiles: tiles)
    let valueStep = Winograd.step(lines.count(inputs))
    WinogradInputs.write(
      plan, block, source: input, channels: inputs, zeros: zeros, to: values, step: valueStep,
      columns: room)
    // The next block's input is fetched meanwhile, but for the row that this one has read.
    let following = plan.pixels(min(block &+ 1, plan.blocks &- 1))
    let passes = panels.reduce(0) {
      $0 &+ TileGradient.passes(inputs, vectors: self.panels.base[$1].vectors)
    }
    var inputsAhead = ReadAhead(
      input + (following.lowerBound &+ plan.pitch) &* inputs, count: following.count &* inputs,
      slots: Winograd.products &* passes)
    for index in panels {
      let panel = self.panels.base[index]
      let width = panel.vectors &* 16
      let step = Winograd.step(tiles &* width)
      // Columns that do not exist.
      if panel.width < width { gradients.update(repeating: 0, count: Winograd.products &* step) }
      plan.forEachRow(block) { row in
        let lines: InlineArray<4, RowPointer> = plan.rows(
          row, shift: 0, source: outputGradient + panel.column, channels: outputs, zeros: zeros)
        for column in 0..<plan.columns {
          let x = column &* Winograd.outputs
          WinogradOutputGradients(
            rows: lines, first: x &* outputs, channels: outputs, columns: plan.pitch &- x,
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
        slots: Winograd.products &* TileGradient.passes(inputs, vectors: panel.vectors))
      for product in 0..<Winograd.products {
        let target = sums + (Winograd.products &* panel.column &+ product &* width) &* rows
        TileGradient(
          values: UnsafePointer(values + product &* valueStep), lines: lines, inputs: inputs,
          gradients: UnsafePointer(gradients + product &* step), target: target, isFirst: isFirst
        ).run(vectors: panel.vectors) {
          gradientsAhead.ask()
          inputsAhead.ask()
        }
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
        WinogradFilterGradient(
          sums: sums + (Winograd.products &* rows &* panel.column &+ channel &* width),
          step: rows &* width, groups: groups, groupStep: sumCount,
          target: weightGradient + (channel &* outputs &+ panel.column),
          tapStep: inputs &* outputs
        ).coverRegisters(from: 0, to: panel.width)
      }
    }
  }
}

/// The gradients of a tile's products from those of its outputs.
private struct WinogradOutputGradients: ChannelGroup {
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
    transformSquare(winogradOutputTransposed, load) {
      let place = products + (($0 &* 6 &+ $1) &* step &+ c)
      L.fetchToWrite(place + Winograd.ahead)
      ($2 as L).store(place)
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
      let place = sums + (($0 &* 6 &+ $1) &* step &+ c)
      var sum = L.load(place)
      for group in 1..<max(1, groups) { sum = sum + L.load(place + group &* groupStep) }
      return sum
    } _: {
      let place = target + (($0 &* 3 &+ $1) &* tapStep &+ c)
      ($2 as L).store(place)
    }
  }
}
