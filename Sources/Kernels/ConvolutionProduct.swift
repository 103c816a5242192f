extension Convolution {
  /// Runs one gather plan over all pixels.
  ///
  /// - Parameters:
  ///   - joined: tasks that are begun before.
  ///   - weightSource: where the weights of a single tap come from.
  func product(
    _ plan: GatherPlan, _ grid: ProductGrid, _ packing: WeightPacking, weights: ProductWeights,
    firstTap: Int, source: ConvolutionInput, target: UnsafeMutablePointer<Float>,
    accumulate: Bool, memory: WorkMemory, joining joined: WeightGradientTasks? = nil,
    weightSource: WeightSource? = nil, finish: (FinishedRows) -> Void
  ) {
    if plan.pixels == 0 { return }
    var packInTask: ProductWeights.Pack?
    if case .toPack(let packed, let pack) = weights {
      if grid.packsInTasks { packInTask = pack } else { pack(0..<grid.panels, packed) }
    }
    let (base, step) = (weights.base, weights.stride)
    let (scratch, zeros, panels) = (scratch, UnsafePointer(zeros.base), packing.panels.base)
    let packedRows = packing.rows
    var source = source
    if case .normalized(let map) = source, grid.panelGroups > 1 {
      // Few rows that several tasks read: they are computed once, before.
      let rows = memory.shared + packing.count
      let blocks = RowBlocks(rows: plan.pixels, channels: plan.depth)
      pool.run(blocks.count) { block in
        let first = blocks.start(block)
        map.write(
          first: first, count: blocks.end(block) &- first, channels: plan.depth,
          to: rows + first &* plan.depth)
      }
      source = .stored(rows)
    }
    let stored = source.stored ?? zeros
    let map = source.normalized
    let read = source.source
    let joinedCount = joined?.count ?? 0
    pool.runOnWorkers(joinedCount, then: grid.tasks) { task, worker in
      if let joined, task < joinedCount { return joined.run(task, worker) }
      let task = task &- joinedCount
      let places = scratch.places(memory.own(worker))
      let firstPanel = grid.firstPanel(of: task)
      let lastPanel = min(grid.panels, firstPanel &+ grid.panelsPerGroup)
      let pixels = grid.pixels(of: task)
      let end = pixels.upperBound
      let following = grid.pixels(of: task &+ pool.direction).lowerBound
      var pixel = pixels.lowerBound
      while pixel < end {
        let count = min(grid.block, end &- pixel)
        plan.fill(
          first: pixel, count: count, source: stored, target: target, zeros: zeros,
          spare: places.spare, overhang: gatherOverhang, patches: places.patches,
          table: places.table, targets: places.targets)
        if let map {
          map.write(first: pixel, count: count, channels: plan.depth, to: places.rows)
          for row in 0..<count {
            places.table[row] = UnsafePointer(places.rows + row &* plan.depth)
          }
        }
        // The next block is fetched meanwhile, an equal share by each panel.
        let next = pixel &+ count < end ? pixel &+ count : following
        let unread = plan.readBefore(next)
        let share =
          (plan.readBefore(min(next &+ count, plan.pixels)) &- unread)
          / (lastPanel &- firstPanel)
        let products = max(1, count &* plan.taps &* plan.depth)
        let (isFirst, isLast) = (pixel == pixels.lowerBound, pixel &+ count >= end)
        for index in firstPanel..<lastPanel {
          let panel = panels[index]
          let width = panel.vectors &* 16
          var panelWeights = base + (step == nil ? packedRows &* panel.column : panel.column)
          if let packInTask {
            let packed =
              places.packed + packedRows &* (panel.column &- panels[firstPanel].column)
            if isFirst { packInTask(index..<index &+ 1, packed) }
            panelWeights = UnsafePointer(packed)
          }
          let aheadStep = (4 &* share &* panel.tileHeight &+ products &- 1) / products
          var ahead = LinesAhead(
            start: UnsafeRawPointer(read + (unread &+ (index &- firstPanel) &* share)),
            step: aheadStep, tileStep: plan.taps &* plan.depth &* aheadStep)
          // Weights are read from memory once, by the first product of a panel: instead of the next pixels
          // those of the next panel are fetched before it.
          let isOver = index &+ 1 == lastPanel
          if let weightSource, grid.packsInTasks, plan.taps == 1, isOver ? isLast : isFirst {
            let next = isOver ? grid.firstPanel(of: task &+ pool.direction) : index &+ 1
            let tiles = (count &+ panel.tileHeight &- 1) / panel.tileHeight
            ahead = weightSource.lines(panels[next], tiles: tiles)
          }
          if step == nil { panelWeights += firstTap &* plan.depth &* width }
          gatherRows(
            count, vectors: panel.vectors,
            GatherTile(
              taps: plan.taps, depth: plan.depth, table: places.table,
              tableStride: GatherPlan.block, weights: UnsafeRawPointer(panelWeights),
              step: (step ?? width) &* 4, targets: places.targets, column: panel.column,
              width: panel.width, accumulate: accumulate, temporary: places.temporary,
              ahead: ahead))
          finish(
            FinishedRows(
              rows: places.targets, count: count, column: panel.column, width: panel.width,
              pixel: pixel, part: pixel / grid.pixelsPerPart,
              isFirst: pixel % grid.pixelsPerPart == 0))
        }
        pixel &+= count
      }
    }
  }
}

/// The weights of a product.
enum ProductWeights {
  /// Packs some panels to memory where the first of them begins.
  typealias Pack = (_ panels: Range<Int>, _ packed: UnsafeMutablePointer<Float>) -> Void

  /// Rows of `stride` floats, as they are.
  case inPlace(UnsafePointer<Float>, stride: Int)
  /// All panels.
  case packed(UnsafePointer<Float>)
  /// Panels that are packed before, or by each task those that it alone reads, to its worker's memory.
  case toPack(into: UnsafeMutablePointer<Float>, Pack)

  /// Where the weights of all panels are.
  var base: UnsafePointer<Float> {
    switch self {
    case .inPlace(let weight, _): weight
    case .packed(let packed): packed
    case .toPack(let packed, _): UnsafePointer(packed)
    }
  }
  /// Floats from row to row where they are not packed.
  var stride: Int? {
    if case .inPlace(_, let stride) = self { stride } else { nil }
  }
}
