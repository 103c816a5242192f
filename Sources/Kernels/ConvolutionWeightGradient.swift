/// Rows copied for the outer products: [tile][pixel][rows of the tile], so that those of a tile lie
/// together. A tile is a few times as high as the microkernels' tiles.
enum PackedTiles {
  /// Rows of a tile: a multiple of 6 and of 8, the heights of the microkernels.
  static let rows = 24
  /// Floats between tiles: a block of pixels, and a little against cache conflicts.
  static let distance = OuterPlan.block * rows + 16

  /// The tiles of a microkernel that one is computed in, and the most that a lower one takes.
  static var parts: Int { hasWideRegisters ? 3 : 4 }
  static let mostParts = 12

  /// Where a row lies within its pixel.
  @inline(__always) static func offset(_ row: Int) -> Int {
    let (tile, within) = row.quotientAndRemainder(dividingBy: rows)
    return tile &* distance &+ within
  }
}

/// How the gradient of a convolution's weights is cut: pixels into groups that each sum their own
/// copy (joined in order at the end), the matrix into panels and runs of tiles.
struct OuterPlan {
  /// Pixels summed in registers before they are added to memory.
  static let block = GatherPlan.block
  /// Floats of 16 packed columns of a block, and a little against cache conflicts.
  static let vectorDistance = block * 16 + 16
  private static let tile = PackedTiles.rows
  /// Rows and columns of a part. Its sums and packed sides stay in a second-level cache of 1 MB; the
  /// larger it is, the less is packed for a product.
  private static let partSide = 384

  let panels: Table<Panel>
  let groups: Int
  let pixelsPerGroup: Int
  /// The matrix of sums: taps * depth rows of `columns` floats (padded to whole vectors).
  let rows: Int
  let columns: Int
  let tilesPerTap: Int
  /// The parts of a group's matrix: runs of tiles times groups of panels.
  let tilesPerRun: Int
  let runs: Int
  let panelsPerPart: Int
  let panelParts: Int
  /// Whether the rows' side is copied tile by tile: pixel by pixel its tiles would be far apart.
  let packsRows: Bool
  /// Scratch: the groups' sums, then each worker's places.
  let scratchCount: Int
  let sumsCount: Int
  let workerCount: Int
  let tableCount: Int
  /// The sums of a part between its blocks of pixels: a panel's rows lie together, where those of the
  /// matrix would be pages apart.
  let partSumsCount: Int
  /// Lines that are fetched ahead: some for each microkernel's tile of a packed one.
  let aheadCount: Int

  init(gather: GatherPlan, outputs: Int, threads: Int) {
    let panels = Panel.cut(outputs, limit: 3)
    self.panels = Table(panels)
    let rows = gather.taps * gather.depth
    let columns = (outputs + 15) & ~15
    self.rows = rows
    self.columns = columns
    tilesPerTap = gather.depth == 9 ? 1 : (gather.depth + Self.tile - 1) / Self.tile
    let tiles = gather.taps * tilesPerTap
    func cut(_ side: Int) -> (runs: Int, panelParts: Int) {
      gather.isPlain ? ((rows + side - 1) / side, (columns + side - 1) / side) : (1, 1)
    }
    // Where a matrix gives few tasks, pixels are shared out as long as the copies of the sums are small
    // beside the work. That decides the order of a sum: it depends on the sizes alone.
    let work = rows * columns * gather.pixels
    let halves = cut(Self.partSide / 2)
    let shares = min(16, work >> 17) / (halves.runs * halves.panelParts)
    let fits = rows * columns <= 100_000
    let wantedGroups = fits ? max(1, min(8, gather.pixels / 512, shares)) : 1
    let blocks = (gather.pixels + Self.block - 1) / Self.block
    pixelsPerGroup = (blocks + wantedGroups - 1) / wantedGroups * Self.block
    groups = (gather.pixels + pixelsPerGroup - 1) / pixelsPerGroup
    // The longer side is cut until there are tasks enough to even out what threads are slowed by.
    var (runs, panelParts) = cut(Self.partSide)
    while runs * panelParts * groups < min(4 * threads, work >> 18) {
      if rows * panelParts >= columns * runs, tiles >= 4 * runs {
        runs *= 2
      } else if panels.count >= 2 * panelParts {
        panelParts *= 2
      } else {
        break
      }
    }
    tilesPerRun = (tiles + runs - 1) / runs
    self.runs = (tiles + tilesPerRun - 1) / tilesPerRun
    panelsPerPart = (panels.count + panelParts - 1) / panelParts
    self.panelParts = (panels.count + panelsPerPart - 1) / panelsPerPart
    packsRows = gather.isPlain && gather.depth != 9
    sumsCount = groups > 1 ? groups * rows * columns : 0
    tableCount = Self.block * gather.taps
    partSumsCount =
      pixelsPerGroup > Self.block ? tilesPerRun * Self.tile * panelsPerPart * 48 : 0
    aheadCount = Self.block / 4 * (packsRows ? PackedTiles.mostParts : 1)
    let packed =
      self.panelsPerPart * 3 * Self.vectorDistance
      + (packsRows ? tilesPerRun * PackedTiles.distance : 0)
    let worker =
      2 * (tableCount + Self.block) + partSumsCount + gather.patchCount + packed + outputs + 64
      + 16 * 48 + 2 * aheadCount
    workerCount = (worker + 31) & ~15
    scratchCount = sumsCount + workerCount * threads
  }
}

extension Convolution {
  /// weightGradient [kernel][kernel][input][output] = the correlation of the input with
  /// outputGradient.
  public func backwardWeight(
    input: ConvolutionInput, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      if let tiledWeightGradient, let input = input.stored {
        return tiledWeightGradient.run(
          input: input, outputGradient: outputGradient, weightGradient: weightGradient,
          zeros: zeros.base, memory: memory, pool: pool)
      }
      let tasks = WeightGradientTasks(
        convolution: self, input: input, outputGradient: outputGradient,
        weightGradient: weightGradient, memory: memory)
      pool.runOnWorkers(tasks.count) { tasks.run($0, $1) }
      tasks.join()
    }
  }

  /// The sums of one task: one group of pixels, one run of tiles, one part of the panels.
  ///
  /// - Parameter isWhole: whether the matrix of the sums has whole vectors of columns.
  fileprivate func sumProducts(
    pixels start: Int, run: Int, part: Int, input: ConvolutionInput,
    outputGradient: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>, stride: Int,
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
    let packedRows = packed + 3 &* plan.panelsPerPart &* OuterPlan.vectorDistance
    let packsRows = plan.packsRows
    precondition(packsRows || input.normalized == nil, "this convolution reads a stored map")
    let patches = packedRows + (plan.packsRows ? plan.tilesPerRun &* PackedTiles.distance : 0)
    let temporary = patches + gather.patchCount
    let spare = temporary + 16 &* 48
    let ahead = UnsafeMutableRawPointer(spare + (outputs &+ 63) & ~15)
      .assumingMemoryBound(to: RowPointer.self)
    // Where fewer lines are listed, those of before or this one are asked for, which are there.
    for index in 0..<plan.aheadCount { ahead[index] = UnsafePointer(packed) }
    let aheadPerTile = OuterPlan.block / 4
    let aheadLimit = aheadPerTile &* (packsRows ? PackedTiles.parts : 1)
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
      let count = min(OuterPlan.block, end &- pixel)
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
            into: packedRows)
        }
      } else if let input = input.stored {
        gather.fill(
          first: pixel, count: count, source: input, target: spare, zeros: zeros.base,
          spare: spare, overhang: 0, patches: patches, table: table, targets: targets)
      }
      let next = pixel &+ count
      let nextCount = min(OuterPlan.block, end &- next)
      // Read row by row as it lies in memory, not panel by panel.
      packColumns(
        outputGradient + pixel &* outputs, pixels: count, panels: firstPanel..<lastPanel,
        into: packed)
      // The next block is fetched meanwhile.
      let slots = (lastTile &- firstTile) &* (lastPanel &- firstPanel)
      var rowsAhead = ReadAhead(
        input.source + next &* gather.depth + firstTile &* tileRows,
        rows: packsRows ? nextCount : 0,
        stride: gather.depth, width: (lastTile &- firstTile) &* tileRows, slots: slots)
      let (first, last) = (plan.panels.base[firstPanel], plan.panels.base[lastPanel &- 1])
      var columnsAhead = ReadAhead(
        outputGradient + next &* outputs + first.column, rows: nextCount, stride: outputs,
        width: last.column &+ last.width &- first.column, slots: slots)
      for index in firstPanel..<lastPanel {
        let panel = plan.panels.base[index]
        let width = panel.vectors &* 16
        let columns = packed + (panel.column &- first.column) &>> 4 &* OuterPlan.vectorDistance
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
              columns: columns, target: isLast ? matrix : tileSums, stride: isLast ? stride : width,
              width: isLast && !isWhole ? panel.width : width,
              initial: UnsafePointer(isFirst ? zeros.base : tileSums),
              initialStride: isFirst ? 0 : width, ahead: ahead,
              aheadStep: packsRows ? aheadPerTile : 0))
          tile &+= stretch
        }
      }
      pixel &+= count
    }
  }

  /// Copies the columns of some panels and pixels, panel by panel; a few pixels at a time, whose
  /// rows are read as they lie in memory.
  private func packColumns(
    _ source: UnsafePointer<Float>, pixels: Int, panels: Range<Int>,
    into packed: UnsafeMutablePointer<Float>
  ) {
    let all = outer.panels.base
    let outputs = shape.outputChannels
    let start = all[panels.lowerBound].column
    var pixel = 0
    while pixel < pixels {
      let count = min(8, pixels &- pixel)
      for index in panels {
        let panel = all[index]
        let width = panel.vectors &* 16
        var row = source + (pixel &* outputs &+ panel.column)
        var place =
          packed
          + ((panel.column &- start) &>> 4 &* OuterPlan.vectorDistance &+ pixel &* width)
        for _ in 0..<count {
          if panel.width == width {
            for lane in stride(from: 0, to: width, by: 16) {
              Vector.load(row + lane).store(place + lane)
            }
          } else {
            copyPadded(row, panel.width, place, width)
          }
          row += outputs
          place += width
        }
      }
      pixel &+= count
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
    let chunk = max(1, 4_096 / plan.columns)
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
  let outputGradient: UnsafePointer<Float>
  let weightGradient: UnsafeMutablePointer<Float>
  /// Room for the plan's `scratchCount`.
  let memory: UnsafeMutablePointer<Float>

  private var plan: OuterPlan { convolution.outer }
  private var isDirect: Bool { plan.groups == 1 }
  private var parts: Int { plan.runs &* plan.panelParts }
  var count: Int { plan.groups &* parts }

  func run(_ task: Int, _ worker: Int) {
    let (group, part) = task.quotientAndRemainder(dividingBy: parts)
    convolution.sumProducts(
      pixels: group &* plan.pixelsPerGroup, run: part % plan.runs, part: part / plan.runs,
      input: input, outputGradient: outputGradient,
      sums: isDirect ? weightGradient : memory + group &* plan.rows &* plan.columns,
      stride: isDirect ? convolution.shape.outputChannels : plan.columns, isWhole: !isDirect,
      memory: memory + plan.sumsCount + worker &* plan.workerCount)
  }

  func join() {
    if !isDirect { convolution.joinGroups(memory, weightGradient) }
  }
}

private struct GroupSum: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let stride: Int
  let groups: Int
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L.load(sums + c)
    for group in 1..<groups { sum = sum + L.load(sums + group &* stride + c) }
    sum.store(target + c)
  }
}
