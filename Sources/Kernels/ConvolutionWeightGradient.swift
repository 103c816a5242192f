extension Convolution {
  /// weightGradient [kernel][kernel][input][output] = the correlation of the input with
  /// outputGradient, which is stored unless the convolution `takesComputedGradient`.
  public func backwardWeight(
    input: ConvolutionInput, outputGradient: OutputGradient,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      if let tiledWeightGradient, let input = input.stored {
        guard let outputGradient = outputGradient.stored else {
          preconditionFailure("tiles read a stored gradient")
        }
        return tiledWeightGradient.run(
          input: input, outputGradient: outputGradient, weightGradient: weightGradient,
          zeros: zeros.base, memory: memory, pool: pool)
      }
      let tasks = WeightGradientTasks(
        convolution: self, input: input, outputGradient: outputGradient,
        weightGradient: weightGradient, sums: memory.shared, memory: memory)
      pool.runOnWorkers(tasks.count) { tasks.run($0, $1) }
      tasks.join()
    }
  }

  /// Whether `backwardWeight` reads each number of the output's gradient once, and may as well compute
  /// it.
  public var takesComputedGradient: Bool {
    tiledWeightGradient == nil && outer.packsColumns && outer.runs == 1
  }

  /// The sums of one task: one group of pixels, one run of tiles, one part of the panels.
  ///
  /// - Parameter isWhole: whether the matrix of the sums has whole vectors of columns.
  fileprivate func sumProducts(
    pixels start: Int, run: Int, part: Int, input: ConvolutionInput,
    outputGradient: OutputGradient, sums: UnsafeMutablePointer<Float>, stride: Int,
    isWhole: Bool, memory: UnsafeMutablePointer<Float>
  ) {
    let plan = outer
    let gather = forwardPlan
    let outputs = shape.outputChannels
    let table = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: RowPointer.self)
    let targets = UnsafeMutableRawPointer(memory + 2 &* plan.tableCount)
      .assumingMemoryBound(to: TargetPointer.self)
    let partSums = memory + 2 &* (plan.tableCount &+ OuterPlan.block)
    let packed = partSums + plan.partSumsCount
    let packedRows = packed + plan.packedColumnsCount
    let packsRows = plan.packsRows
    precondition(packsRows || input.normalized == nil, "this convolution reads a stored map")
    precondition(
      plan.packsColumns || outputGradient.stored != nil, "this convolution reads a stored gradient")
    let columnSource = outputGradient.source
    let patches = packedRows + plan.packedRowsCount
    let temporary = patches + gather.patchCount
    let spare = temporary + 16 &* 48
    let ahead = UnsafeMutableRawPointer(spare + (outputs &+ 63) & ~15)
      .assumingMemoryBound(to: RowPointer.self)
    // Where fewer lines are listed, those of before or this one are asked for, which are there.
    for index in 0..<plan.aheadCount { ahead[index] = UnsafePointer(packed) }
    let aheadPerTile = OuterTile.aheadCount(pixels: plan.pixelsPerBlock)
    let firstTile = run &* plan.tilesPerRun
    let lastTile = min(gather.taps &* plan.tilesPerTap, firstTile &+ plan.tilesPerRun)
    let firstPanel = part &* plan.panelsPerPart
    let lastPanel = min(plan.panels.count, firstPanel &+ plan.panelsPerPart)
    let end = min(gather.pixels, start &+ plan.pixelsPerGroup)
    let tileRows = PackedTiles.rows
    if packsRows {
      for pixel in 0..<OuterPlan.block {
        table[pixel] = UnsafePointer(packedRows + pixel &* PackedTiles.rows)
      }
    }
    var pixel = start
    while pixel < end {
      let count = min(plan.pixelsPerBlock, end &- pixel)
      if packsRows {
        let (from, to) = (firstTile &* tileRows, min(gather.depth, lastTile &* tileRows))
        switch input {
        case .stored(let input):
          packTiles(
            input + pixel &* gather.depth, pixels: count, channels: gather.depth, from: from,
            to: to, into: packedRows)
        case .normalized(let map):
          map.writeTiles(
            first: pixel, count: count, channels: gather.depth, from: from, to: to,
            offsets: plan.rowOffsets.base, into: packedRows)
        }
      } else if let input = input.stored {
        gather.fill(
          first: pixel, count: count, source: input, target: spare, zeros: zeros.base,
          spare: spare, overhang: 0, patches: patches, table: table, targets: targets)
      }
      let next = pixel &+ count
      let nextCount = max(0, min(plan.pixelsPerBlock, end &- next))
      let columnRows = columnSource + pixel &* outputs
      if plan.packsColumns {
        packColumns(
          outputGradient, first: pixel, pixels: count, panels: firstPanel..<lastPanel,
          into: packed)
      }
      // The next block is fetched meanwhile.
      let slots = (lastTile &- firstTile) &* (lastPanel &- firstPanel)
      var rowsAhead: ReadAhead
      if packsRows {
        rowsAhead = ReadAhead(
          input.source + next &* gather.depth + firstTile &* tileRows, rows: nextCount,
          stride: gather.depth, width: (lastTile &- firstTile) &* tileRows, slots: slots)
      } else {
        let unread = gather.readBefore(next)
        rowsAhead = ReadAhead(
          input.source + unread, count: gather.readBefore(next &+ nextCount) &- unread,
          slots: slots)
      }
      let (first, last) = (plan.panels.base[firstPanel], plan.panels.base[lastPanel &- 1])
      var columnsAhead = ReadAhead(
        columnSource + next &* outputs + first.column, rows: nextCount, stride: outputs,
        width: last.column &+ last.width &- first.column, slots: slots)
      for index in firstPanel..<lastPanel {
        let panel = plan.panels.base[index]
        let width = panel.vectors &* 16
        var (columns, columnsStep) = (columnRows + panel.column, outputs &* 4)
        if plan.packsColumns {
          let vector = (panel.column &- first.column) &>> 4
          columns = UnsafePointer(packed + vector &* OuterPlan.vectorDistance)
          columnsStep = width &* 4
        }
        var tile = firstTile
        while tile < lastTile {
          // A stretch of tiles within one tap; packed tiles one by one.
          let (tap, within) = tile.quotientAndRemainder(dividingBy: plan.tilesPerTap)
          let limit = packsRows ? 1 : plan.tilesPerTap
          let stretch = min(limit, plan.tilesPerTap &- within, lastTile &- tile)
          let firstRow = within &* tileRows
          let rows =
            within &+ stretch == plan.tilesPerTap
            ? gather.depth &- firstRow : stretch &* tileRows
          let aheadLimit = aheadPerTile &* outerTileCount(rows)
          var listed = rowsAhead.list(slots: stretch, to: ahead, from: 0, limit: aheadLimit)
          listed = columnsAhead.list(
            slots: stretch, to: ahead, from: listed, limit: aheadLimit)
          // Through the part's own sums to the matrix.
          let matrix = sums + ((tap &* gather.depth &+ firstRow) &* stride &+ panel.column)
          let tileSums =
            partSums
            + ((panel.column &- first.column) &* plan.tilesPerRun &+ (tile &- firstTile) &* width)
            &* tileRows
          let (isFirst, isLast) = (pixel == start, next >= end)
          outerRows(
            rows, vectors: panel.vectors, temporary: temporary,
            OuterTile(
              pixels: count, table: table + tap &* GatherPlan.block,
              offset: packsRows ? (tile &- firstTile) &* PackedTiles.distance : firstRow,
              columns: columns, columnsStep: columnsStep, target: isLast ? matrix : tileSums,
              stride: isLast ? stride : width, width: isLast && !isWhole ? panel.width : width,
              initial: UnsafePointer(isFirst ? zeros.base : tileSums),
              initialStride: isFirst ? 0 : width, ahead: ahead, aheadStep: aheadPerTile))
          tile &+= stretch
        }
      }
      pixel &+= count
    }
  }

  /// Writes the columns of some panels and pixels, panel by panel; a few pixels at a time, whose
  /// rows are read as they lie in memory.
  private func packColumns(
    _ gradient: OutputGradient, first: Int, pixels: Int, panels: Range<Int>,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let all = outer.panels.base
    let start = all[panels.lowerBound].column
    for pixel in stride(from: 0, to: pixels, by: 8) {
      let count = min(8, pixels &- pixel)
      for index in panels {
        let panel = all[index]
        let place =
          packed
          + ((panel.column &- start) &>> 4 &* OuterPlan.vectorDistance
            &+ pixel &* (panel.vectors &* 16))
        switch gradient {
        case .stored(let base): pack(base, panel, first: first &+ pixel, count: count, to: place)
        case .computed(let gradient):
          pack(gradient, panel, first: first &+ pixel, count: count, to: place)
        }
      }
    }
  }

  private func pack(
    _ source: UnsafePointer<Float>, _ panel: Panel, first: Int, count: Int,
    to place: UnsafeMutablePointer<Float>
  ) {
    let (outputs, width) = (shape.outputChannels, panel.vectors &* 16)
    var (row, place) = (source + (first &* outputs &+ panel.column), place)
    for _ in 0..<count {
      if panel.width == width {
        for lane in stride(from: 0, to: width, by: 16) {
          Vector.fetch(row + lane + Ahead.rows &* outputs)
          Vector.load(row + lane).store(place + lane)
        }
      } else {
        copyPadded(row, panel.width, place, width)
      }
      row += outputs
      place += width
    }
  }

  private func pack(
    _ gradient: NormGradient, _ panel: Panel, first: Int, count: Int,
    to place: UnsafeMutablePointer<Float>
  ) {
    let width = panel.vectors &* 16
    gradient.write(
      first: first, count: count, channels: panel.column..<panel.column &+ panel.width, to: place,
      step: width)
    for row in 0..<(panel.width < width ? count : 0) {
      (place + (row &* width &+ panel.width)).update(repeating: 0, count: width &- panel.width)
    }
  }

  /// Copies the channels from ..< to of some pixels to packed tiles.
  private func packTiles(
    _ source: UnsafePointer<Float>, pixels: Int, channels: Int, from start: Int, to end: Int,
    into packed: UnsafeMutablePointer<Float>
  ) {
    var first = start
    var tile = packed
    while first < end {
      let width = min(PackedTiles.rows, end &- first)
      var (row, target) = (source + first, tile)
      for _ in 0..<pixels {
        if width == PackedTiles.rows {
          VectorPair.fetch(row + Ahead.rows &* channels)
          for eight in 0..<PackedTiles.rows / 8 {
            SIMD8<Float>.load(row + eight &* 8).store(target + eight &* 8)
          }
        } else {
          for lane in 0..<width { target[lane] = row[lane] }
        }
        row += channels
        target += PackedTiles.rows
      }
      first &+= PackedTiles.rows
      tile += PackedTiles.distance
    }
  }

  /// weightGradient = the groups' sums, in order.
  fileprivate func joinGroups(
    _ sums: UnsafeMutablePointer<Float>, _ weightGradient: UnsafeMutablePointer<Float>
  ) {
    let plan = outer
    let outputs = shape.outputChannels
    let chunk = max(1, 8_192 / plan.columns)
    pool.run((plan.rows + chunk - 1) / chunk) { task in
      for row in task &* chunk..<min(plan.rows, (task &+ 1) &* chunk) {
        GroupSum(
          sums: sums + row &* plan.columns, stride: plan.rows &* plan.columns,
          groups: plan.groups, target: weightGradient + row &* outputs
        ).cover(outputs)
      }
    }
  }
}

/// The gradient of a convolution's weights in numbered tasks, for a run of their own or one that does
/// more: `run` for all of them, on workers, and `join` afterwards.
struct WeightGradientTasks {
  let convolution: Convolution
  let input: ConvolutionInput
  let outputGradient: OutputGradient
  let weightGradient: UnsafeMutablePointer<Float>
  /// Room for the plan's `sumsCount`.
  let sums: UnsafeMutablePointer<Float>
  let memory: WorkMemory

  private var plan: OuterPlan { convolution.outer }
  private var isDirect: Bool { plan.groups == 1 }
  private var parts: Int { plan.runs &* plan.panelParts }
  var count: Int { plan.groups &* parts }

  func run(_ task: Int, _ worker: Int) {
    let (group, part) = task.quotientAndRemainder(dividingBy: parts)
    convolution.sumProducts(
      pixels: group &* plan.pixelsPerGroup, run: part % plan.runs, part: part / plan.runs,
      input: input, outputGradient: outputGradient,
      sums: isDirect ? weightGradient : sums + group &* plan.rows &* plan.columns,
      stride: isDirect ? convolution.shape.outputChannels : plan.columns, isWhole: !isDirect,
      memory: memory.own(worker))
  }

  func join() {
    if !isDirect { convolution.joinGroups(sums, weightGradient) }
  }
}

/// The gradient of what a convolution gives.
public enum OutputGradient {
  /// In memory.
  case stored(UnsafePointer<Float>)
  /// Computed where it is read: that of the input of the norm that follows.
  case computed(NormGradient)

  var stored: UnsafePointer<Float>? {
    if case .stored(let base) = self { base } else { nil }
  }
  /// What is read from memory.
  var source: UnsafePointer<Float> {
    switch self {
    case .stored(let base): base
    case .computed(let gradient): gradient.outputGradient
    }
  }
}

private struct GroupSum: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let stride: Int
  let groups: Int
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    L.sum(sums + c, copies: groups, distance: stride).store(target + c)
  }
}
