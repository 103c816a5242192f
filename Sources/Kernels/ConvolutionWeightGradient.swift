/// How the gradient of a convolution's weights is cut: pixels into groups that each sum their own
/// copy (joined in order at the end), the matrix into panels and runs of tiles.
struct OuterPlan {
  /// Pixels summed in registers before they are added to memory.
  static let block = GatherPlan.block
  private static let tile = 8

  let panels: Table<Panel>
  let groups: Int
  let pixelsPerGroup: Int
  /// The matrix of sums: taps * depth rows of `columns` floats (padded to whole vectors).
  let rows: Int
  let columns: Int
  let tilesPerTap: Int
  let tilesPerRun: Int
  let runs: Int
  /// Scratch: the groups' sums, then each worker's places.
  let scratchCount: Int
  let sumsCount: Int
  let workerCount: Int
  let tableCount: Int

  init(gather: GatherPlan, outputs: Int, threads: Int) {
    let panels = Panel.cut(outputs, limit: 3)
    self.panels = Table(panels)
    rows = gather.taps * gather.depth
    columns = (outputs + 15) & ~15
    // Copies are worth it while they fit a cache and their sum is small beside the work.
    let fits = rows * columns <= 100_000
    let groups = fits ? max(1, min(8, gather.pixels / 512)) : 1
    let blocks = (gather.pixels + Self.block - 1) / Self.block
    pixelsPerGroup = (blocks + groups - 1) / groups * Self.block
    self.groups = (gather.pixels + pixelsPerGroup - 1) / pixelsPerGroup
    tilesPerTap = gather.depth == 9 ? 1 : (gather.depth + Self.tile - 1) / Self.tile
    let tiles = gather.taps * tilesPerTap
    let work = rows * columns * gather.pixels
    let wanted = max(1, min(16, work >> 17) / (self.groups * panels.count))
    tilesPerRun = (tiles + wanted - 1) / wanted
    runs = (tiles + tilesPerRun - 1) / tilesPerRun
    sumsCount = self.groups > 1 ? self.groups * rows * columns : 0
    tableCount = Self.block * gather.taps
    let worker =
      2 * (tableCount + Self.block) + gather.patchCount + Self.block * 48 + outputs + 64
    workerCount = (worker + 31) & ~15
    scratchCount = sumsCount + workerCount * threads
  }
}

extension Convolution {
  /// weightGradient [kernel][kernel][input][output] += the correlation of the input with
  /// outputGradient.
  public func backwardWeight(
    input: UnsafePointer<Float>, outputGradient: UnsafePointer<Float>,
    weightGradient: UnsafeMutablePointer<Float>
  ) {
    let outputs = shape.outputChannels
    pool.workspace.use { memory in
      let plan = outer
      let isDirect = plan.groups == 1
      let panelCount = plan.panels.count
      let parts = plan.runs * (isDirect ? panelCount : 1)
      pool.runOnWorkers(plan.groups * parts) { task, worker in
        let group = task / parts
        let part = task % parts
        let panels = isDirect ? part / plan.runs..<part / plan.runs &+ 1 : 0..<panelCount
        let sums = isDirect ? weightGradient : memory + group &* plan.rows &* plan.columns
        sumProducts(
          pixels: group &* plan.pixelsPerGroup, run: part % plan.runs, panels: panels,
          input: input, outputGradient: outputGradient, sums: sums,
          stride: isDirect ? outputs : plan.columns, accumulate: isDirect,
          memory: memory + plan.sumsCount + worker &* plan.workerCount)
      }
      if !isDirect { joinGroups(memory, weightGradient) }
    }
  }

  /// The sums of one task: one group of pixels, some panels, one run of tiles.
  private func sumProducts(
    pixels start: Int, run: Int, panels: Range<Int>, input: UnsafePointer<Float>,
    outputGradient: UnsafePointer<Float>, sums: UnsafeMutablePointer<Float>, stride: Int,
    accumulate: Bool, memory: UnsafeMutablePointer<Float>
  ) {
    let plan = outer
    let gather = forwardPlan
    let outputs = shape.outputChannels
    let table = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: RowPointer.self)
    let targets = UnsafeMutableRawPointer(memory + 2 &* plan.tableCount)
      .assumingMemoryBound(to: TargetPointer.self)
    let packed = memory + 2 &* (plan.tableCount &+ OuterPlan.block)
    let spare = packed + OuterPlan.block &* 48
    let patches = spare + outputs + 64
    let firstTile = run &* plan.tilesPerRun
    let lastTile = min(gather.taps &* plan.tilesPerTap, firstTile &+ plan.tilesPerRun)
    let end = min(gather.pixels, start &+ plan.pixelsPerGroup)
    var pixel = start
    while pixel < end {
      let count = min(OuterPlan.block, end &- pixel)
      gather.fill(
        first: pixel, count: count, source: input, target: spare, zeros: zeros.base,
        spare: spare, overhang: 0, patches: patches, table: table, targets: targets)
      for index in panels {
        let panel = plan.panels.base[index]
        let width = panel.vectors &* 16
        var source = outputGradient + pixel &* outputs + panel.column
        for row in 0..<count {
          copyPadded(source, panel.width, packed + row &* width, width)
          source += outputs
        }
        var tile = firstTile
        while tile < lastTile {
          // A stretch of tiles within one tap.
          let (tap, within) = tile.quotientAndRemainder(dividingBy: plan.tilesPerTap)
          let stretch = min(plan.tilesPerTap &- within, lastTile &- tile)
          let firstRow = within &* 8
          let rows =
            within &+ stretch == plan.tilesPerTap ? gather.depth &- firstRow : stretch &* 8
          let place = (tap &* gather.depth &+ firstRow) &* stride &+ panel.column
          outerRows(
            rows, vectors: panel.vectors,
            OuterTile(
              pixels: count, table: table + tap &* GatherPlan.block, offset: firstRow,
              columns: packed, target: sums + place, stride: stride,
              width: accumulate ? panel.width : width, accumulate: accumulate || pixel > start))
          tile &+= stretch
        }
      }
      pixel &+= count
    }
  }

  /// weightGradient += the groups' sums, in order.
  private func joinGroups(
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

private struct GroupSum: ChannelGroup {
  let sums: UnsafeMutablePointer<Float>
  let stride: Int
  let groups: Int
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at c: Int) {
    var sum = L.load(target + c)
    for group in 0..<groups { sum = sum + L.load(sums + group &* stride + c) }
    sum.store(target + c)
  }
}
