/// A convolution and a 1x1 convolution of its result, computed block by block: the map between the
/// two exists only for the pixels of a block, in cache.
public final class ConvolutionPair {
  private let first: Convolution
  private let second: Convolution
  private let columns: Int
  /// The first convolution by tiles.
  private let tiled: (any TiledBlocks)?
  /// The rows that are projected at a time.
  private let rows: Int

  /// Joins two convolutions that were planned for the same pool.
  public init(_ first: Convolution, _ second: Convolution) {
    precondition(
      second.shape.kernel == 1 && second.shape.stride == 1
        && second.shape.inputCount == first.shape.outputCount && first.pool === second.pool,
      "the second convolution of a pair is 1x1 on the first one's result")
    self.first = first
    self.second = second
    columns = first.shape.outputChannels
    tiled = first.tiled.map {
      $0 is PhaseProduct
        ? $0
        : WinogradProduct(
          first.shape, first.forwardWeights, isTransposed: false, sharesBlocks: false)
    }
    rows = second.forwardGrid.block
    // Tiles may write beyond the last row.
    let between = (tiled?.plan.pixelsPerBlock ?? rows) + gatherOverhang
    let workerCount =
      (tiled?.workerCount ?? first.scratch.count) + second.scratch.count + between * columns
    first.pool.workspace.reserve(own: workerCount)
  }

  /// output = second(first(input)), each with its packed weights and its epilogue.
  public func forward(
    input: UnsafePointer<Float>, first packedFirst: UnsafePointer<Float>,
    _ firstEpilogue: Epilogue, second packedSecond: UnsafePointer<Float>,
    _ secondEpilogue: Epilogue, output: UnsafeMutablePointer<Float>
  ) {
    if let tiled {
      return forward(
        tiled, input: input, filters: packedFirst, firstEpilogue, second: packedSecond,
        secondEpilogue, output: output)
    }
    let (first, second, columns) = (first, second, columns)
    let plan = first.forwardPlan
    let rows = rows
    let blocks = (plan.pixels + rows - 1) / rows
    first.pool.workspace.use { memory in
      first.pool.runOnWorkers(blocks) { task, worker in
        let scratch = memory.own(worker)
        let between = scratch + (first.scratch.count &+ second.scratch.count)
        let places = first.scratch.places(scratch)
        let next = second.scratch.places(scratch + first.scratch.count)
        let start = task &* rows
        let count = min(rows, plan.pixels &- start)
        plan.fill(
          first: start, count: count, source: input, target: output, zeros: first.zeros.base,
          spare: places.spare, overhang: gatherOverhang, patches: places.patches,
          table: places.table, targets: places.targets)
        for row in 0..<count &+ gatherOverhang {
          places.targets[row] = between + row &* columns
        }
        first.products(plan, weights: packedFirst, count: count, places) { rows in
          firstEpilogue.apply(to: rows, of: between)
        }
        project(
          between, pixels: start..<start &+ count, second: packedSecond, secondEpilogue,
          output: output, next)
      }
    }
  }

  /// The same, the first convolution by tiles.
  private func forward(
    _ tiled: any TiledBlocks, input: UnsafePointer<Float>, filters: UnsafePointer<Float>,
    _ firstEpilogue: Epilogue, second packedSecond: UnsafePointer<Float>,
    _ secondEpilogue: Epilogue, output: UnsafeMutablePointer<Float>
  ) {
    let (first, second, columns) = (first, second, columns)
    first.pool.workspace.use { memory in
      first.pool.runOnWorkers(tiled.plan.blocks) { block, worker in
        let scratch = memory.own(worker)
        let next = second.scratch.places(scratch)
        let tiles = scratch + second.scratch.count
        let between = tiles + tiled.workerCount
        tiled.compute(
          block, filters: filters, source: input, target: between, zeros: first.zeros.base,
          direction: first.pool.direction, memory: tiles
        ) { rows in firstEpilogue.apply(to: rows, of: between) }
        let pixels = tiled.plan.pixels(block)
        for start in stride(from: pixels.lowerBound, to: pixels.upperBound, by: rows) {
          project(
            between + (start &- pixels.lowerBound) &* columns,
            pixels: start..<min(pixels.upperBound, start &+ rows), second: packedSecond,
            secondEpilogue, output: output, next)
        }
      }
    }
  }

  /// The second convolution of at most a block of pixels, whose rows lie at `between`.
  @inline(__always)
  private func project(
    _ between: UnsafeMutablePointer<Float>, pixels: Range<Int>,
    second packed: UnsafePointer<Float>, _ epilogue: Epilogue,
    output: UnsafeMutablePointer<Float>, _ places: GatherScratch.Places
  ) {
    let outputs = second.shape.outputChannels
    for row in 0..<pixels.count &+ gatherOverhang {
      places.table[row] = UnsafePointer(between + row &* columns)
      places.targets[row] =
        row < pixels.count ? output + (pixels.lowerBound &+ row) &* outputs : places.spare
    }
    second.products(second.forwardPlan, weights: packed, count: pixels.count, places) { rows in
      epilogue.apply(to: rows, of: output)
    }
  }
}

extension Convolution {
  /// The products of the gathered rows with all panels of packed weights.
  @inline(__always)
  fileprivate func products(
    _ plan: GatherPlan, weights: UnsafePointer<Float>, count: Int, _ places: GatherScratch.Places,
    finish: (FinishedRows) -> Void
  ) {
    for index in 0..<forwardWeights.panels.count {
      let panel = forwardWeights.panels.base[index]
      gatherRows(
        count, vectors: panel.vectors,
        GatherTile(
          taps: plan.taps, depth: plan.depth, table: places.table,
          tableStride: GatherPlan.block,
          weights: UnsafeRawPointer(weights + forwardWeights.rows &* panel.column),
          step: panel.vectors &* 64, targets: places.targets, column: panel.column,
          width: panel.width, accumulate: false, temporary: places.temporary, ahead: .none(weights))
      )
      finish(
        FinishedRows(rows: places.targets, count: count, column: panel.column, width: panel.width))
    }
  }
}
