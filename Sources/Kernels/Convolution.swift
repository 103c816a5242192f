/// The plan of one dense convolution: NHWC tensors, weights [kernel][kernel][input][output].
///
/// All three passes are matrix products whose rows are gathered by address: nothing is unfolded.
/// Work is cut by the shape alone, and every output is summed by one task in a fixed order. A plan
/// may be used by one thread at a time; plans of one pool share their scratch memory.
public final class Convolution {
  /// The geometry.
  public let shape: ConvolutionShape

  let pool: ThreadPool
  let forwardPlan: GatherPlan
  /// Room for a row of zeros: the gathered row outside the image.
  let zeros: FloatBuffer
  let forwardWeights: WeightPacking
  let scratch: GatherScratch
  private let readsWeightsInPlace: Bool
  private let phases: [(plan: GatherPlan, firstTap: Int)]
  private let phaseTaps: Table<Int>
  private let backwardWeights: WeightPacking
  let outer: OuterPlan

  /// Plans the convolution; without `isTrained` its forward pass alone.
  public init(_ shape: ConvolutionShape, pool: ThreadPool, isTrained: Bool = true) {
    shape.check()
    self.shape = shape
    self.pool = pool
    let s = shape
    forwardPlan = .forward(s, merged: s.kernel > 1 && s.inputChannels < 8)
    let taps = s.kernel * s.kernel
    forwardWeights = WeightPacking(
      rows: taps * s.inputChannels, panels: Table(Panel.cut(s.outputChannels, limit: 4)))
    // For few pixels the copy would cost as much as the product.
    readsWeightsInPlace = s.outputChannels % 16 == 0 && forwardPlan.pixels <= 128

    var phases: [(plan: GatherPlan, firstTap: Int)] = []
    var order: [Int] = []
    for phase in isTrained ? GatherPlan.backwardPhases(s) : [] {
      phases.append((phase.plan, order.count))
      order += phase.taps
    }
    self.phases = phases
    phaseTaps = Table(order)
    backwardWeights = WeightPacking(
      rows: taps * s.outputChannels, panels: Table(Panel.cut(s.inputChannels, limit: 4)))
    zeros = FloatBuffer(count: max(48, forwardPlan.depth, s.outputChannels) + 16)
    outer = OuterPlan(gather: forwardPlan, outputs: s.outputChannels, threads: pool.threads)

    let scratch = GatherScratch(phases.map(\.plan) + [forwardPlan], shape: s)
    self.scratch = scratch
    let perWorkers = scratch.count * pool.threads
    pool.workspace.reserve(
      isTrained
        ? max(max(forwardWeights.count, backwardWeights.count) + perWorkers, outer.scratchCount)
        : perWorkers)
  }

  /// output [batch][outputHeight][outputWidth][outputChannels] = input * weight.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      let perWorker = memory + forwardWeights.count
      if readsWeightsInPlace {
        product(
          forwardPlan, forwardWeights, weights: weight, firstTap: 0, step: shape.outputChannels,
          source: input, target: output, accumulate: false, perWorker: perWorker)
      } else {
        forwardWeights.pack(weight, columns: shape.outputChannels, into: memory, pool: pool)
        product(
          forwardPlan, forwardWeights, weights: memory, firstTap: 0, step: nil, source: input,
          target: output, accumulate: false, perWorker: perWorker)
      }
    }
  }

  /// The floats that `pack` writes.
  public var packedCount: Int { forwardWeights.count }

  /// Brings `weight` into the order in which the forward pass reads it, every output channel times
  /// its `scale`.
  public func pack(
    _ weight: UnsafePointer<Float>, scale: UnsafePointer<Float>,
    into packed: UnsafeMutablePointer<Float>
  ) {
    forwardWeights.pack(
      weight, columns: shape.outputChannels, scale: scale, into: packed, pool: pool)
  }

  /// output = epilogue(input * packed weights).
  public func forward(
    input: UnsafePointer<Float>, packed: UnsafePointer<Float>, epilogue: Epilogue,
    output: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      product(
        forwardPlan, forwardWeights, weights: packed, firstTap: 0, step: nil, source: input,
        target: output, accumulate: false, perWorker: memory
      ) { rows in epilogue.apply(to: rows, of: output) }
    }
  }

  /// inputGradient = (or += with `accumulate`) the transposed convolution of outputGradient.
  public func backwardInput(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool
  ) {
    pool.workspace.use { memory in
      backwardWeights.packTransposed(
        weight, columns: shape.inputChannels, depth: shape.outputChannels, order: phaseTaps,
        into: memory, pool: pool)
      for phase in phases {
        product(
          phase.plan, backwardWeights, weights: memory, firstTap: phase.firstTap, step: nil,
          source: outputGradient, target: inputGradient, accumulate: accumulate,
          perWorker: memory + backwardWeights.count)
      }
    }
  }

  /// Runs one gather plan over all pixels. Weights are packed, or rows of `step` floats in place.
  private func product(
    _ plan: GatherPlan, _ packing: WeightPacking, weights: UnsafePointer<Float>, firstTap: Int,
    step: Int?, source: UnsafePointer<Float>, target: UnsafeMutablePointer<Float>,
    accumulate: Bool, perWorker: UnsafeMutablePointer<Float>,
    finish: (FinishedRows) -> Void = { _ in }
  ) {
    if plan.pixels == 0 { return }
    let grid = ProductGrid(plan, panels: packing.panels.count, columns: packing.columns)
    let (scratch, zeros, panels) = (scratch, UnsafePointer(zeros.base), packing.panels.base)
    let packedRows = packing.rows
    pool.runOnWorkers(grid.tasks) { task, worker in
      let places = scratch.places(perWorker + worker &* scratch.count)
      let group = task % grid.panelGroups
      let firstPanel = group &* grid.panelsPerGroup
      let lastPanel = min(grid.panels, firstPanel &+ grid.panelsPerGroup)
      var pixel = task / grid.panelGroups &* grid.pixelsPerTask
      let end = min(plan.pixels, pixel &+ grid.pixelsPerTask)
      while pixel < end {
        let count = min(ProductGrid.block, end &- pixel)
        plan.fill(
          first: pixel, count: count, source: source, target: target, zeros: zeros,
          spare: places.spare, overhang: gatherOverhang, patches: places.patches,
          table: places.table, targets: places.targets)
        for index in firstPanel..<lastPanel {
          let panel = panels[index]
          let width = panel.vectors &* 16
          let start =
            step == nil
            ? packedRows &* panel.column &+ firstTap &* plan.depth &* width : panel.column
          gatherRows(
            count, vectors: panel.vectors,
            GatherTile(
              taps: plan.taps, depth: plan.depth, table: places.table,
              tableStride: GatherPlan.block, weights: UnsafeRawPointer(weights + start),
              step: (step ?? width) &* 4, targets: places.targets, column: panel.column,
              width: panel.width, accumulate: accumulate, temporary: places.temporary))
          finish(
            FinishedRows(
              rows: places.targets, count: count, column: panel.column, width: panel.width))
        }
        pixel &+= count
      }
    }
  }
}

/// The fixed cut of a product into tasks of pixels and panels.
struct ProductGrid {
  /// Pixels per address table: a multiple of the heights of all tiles.
  static let block = 72

  let panels: Int
  let pixelsPerTask: Int
  let panelsPerGroup: Int
  let panelGroups: Int
  let tasks: Int

  init(_ plan: GatherPlan, panels: Int, columns: Int) {
    self.panels = panels
    let perPixel = max(1, plan.taps * plan.depth * columns)
    let blocks = (plan.pixels + Self.block - 1) / Self.block
    // About a million multiply-adds per task; many panels are shared out where pixels are few.
    let blocksPerTask = max(1, min(blocks / 16, (1 << 20) / (perPixel * Self.block)))
    pixelsPerTask = blocksPerTask * Self.block
    let pixelTasks = (blocks + blocksPerTask - 1) / blocksPerTask
    let work = perPixel * plan.pixels
    let wanted = max(1, min(16, work >> 17) / pixelTasks)
    panelsPerGroup = max(1, panels / wanted)
    panelGroups = (panels + panelsPerGroup - 1) / panelsPerGroup
    tasks = pixelTasks * panelGroups
  }
}

/// Where a worker keeps its address table and small copies.
struct GatherScratch {
  struct Places {
    let table: UnsafeMutablePointer<RowPointer>
    let targets: UnsafeMutablePointer<TargetPointer>
    let patches: UnsafeMutablePointer<Float>
    let spare: UnsafeMutablePointer<Float>
    let temporary: UnsafeMutablePointer<Float>
  }

  private let tableCount: Int
  private let patchCount: Int
  /// Floats per worker: whole cache lines.
  let count: Int

  init(_ plans: [GatherPlan], shape: ConvolutionShape) {
    tableCount = GatherPlan.block * (plans.map(\.taps).max() ?? 0)
    patchCount = plans.map(\.patchCount).max() ?? 0
    let spareCount = max(shape.inputChannels, shape.outputChannels) + 128
    let total =
      2 * (tableCount + GatherPlan.block) + patchCount + GatherTile.temporaryCount + spareCount
    count = (total + 31) & ~15
  }

  @inline(__always)
  func places(_ base: UnsafeMutablePointer<Float>) -> Places {
    let memory = UnsafeMutableRawPointer(base)
    let pointer = MemoryLayout<RowPointer>.stride
    let targets = memory + tableCount &* pointer
    let patches = base + 2 &* (tableCount &+ GatherPlan.block)
    return Places(
      table: memory.assumingMemoryBound(to: RowPointer.self),
      targets: targets.assumingMemoryBound(to: TargetPointer.self), patches: patches,
      spare: patches + (patchCount &+ GatherTile.temporaryCount), temporary: patches + patchCount)
  }
}
