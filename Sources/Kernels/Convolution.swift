/// The plan of one dense convolution: NHWC tensors, weights [kernel][kernel][input][output].
///
/// All three passes are matrix products whose rows are gathered by address: nothing is unfolded. A
/// 3x3 kernel is computed by tiles instead where that is less work (`Winograd`, `PhaseTiles`).
/// Work is cut by the shape alone, and every output is summed by one task in a fixed order. A plan
/// may be used by one thread at a time; plans of one pool share their scratch memory.
public final class Convolution {
  /// The geometry.
  public let shape: ConvolutionShape

  let pool: ThreadPool
  let forwardPlan: GatherPlan
  /// Room for a row of zeros: the row outside the image.
  let zeros: FloatBuffer
  let forwardWeights: WeightPacking
  let forwardGrid: ProductGrid
  private let backwardGrids: [ProductGrid]
  let scratch: GatherScratch
  private let readsWeightsInPlace: Bool
  private let phases: [(plan: GatherPlan, firstTap: Int)]
  private let phaseTaps: Table<Int>
  private let backwardWeights: WeightPacking
  let outer: OuterPlan
  /// The passes by tiles.
  let tiled: (any TiledBlocks)?
  private let tiledTransposed: (any TiledProduct)?
  let tiledWeightGradient: WinogradWeightGradient?

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
    let form = TileForm(s)
    // For few pixels the copy would cost as much as the product.
    readsWeightsInPlace =
      form == nil && s.outputChannels % 16 == 0 && forwardPlan.pixels <= 256

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
    let zeroCount = max(48, forwardPlan.depth, s.outputChannels) + 16
    zeros = FloatBuffer(count: max(zeroCount, form == nil ? 0 : TileForm.zeroCount(s)))
    outer = OuterPlan(gather: forwardPlan, outputs: s.outputChannels, threads: pool.threads)

    forwardGrid = ProductGrid(forwardPlan, forwardWeights, threads: pool.threads)
    let backwardPacking = backwardWeights
    backwardGrids = phases.map { ProductGrid($0.plan, backwardPacking, threads: pool.threads) }
    let takesNormalized = isTrained && s.kernel == 1 && s.stride == 1
    let packsForward = isTrained && form == nil && !readsWeightsInPlace
    scratch = GatherScratch(
      phases.map(\.plan) + [forwardPlan], shape: s,
      packedFloats: max(
        packsForward ? forwardGrid.packedInTask(forwardWeights) : 0,
        phases.count == 1 ? backwardGrids[0].packedInTask(backwardWeights) : 0),
      rowFloats: takesNormalized ? forwardGrid.block * s.inputChannels : 0)
    switch form {
    case .plain: tiled = WinogradProduct(s, forwardWeights, isTransposed: false)
    case .phased: tiled = PhaseProduct(s, forwardWeights)
    case nil: tiled = nil
    }
    switch isTrained ? form : nil {
    case .plain: tiledTransposed = WinogradProduct(s, backwardWeights, isTransposed: true)
    case .phased: tiledTransposed = PhaseTransposed(s, backwardWeights, taps: order)
    case nil: tiledTransposed = nil
    }
    tiledWeightGradient = isTrained ? form.map { WinogradWeightGradient(s, $0) } : nil
    if let tiled {
      reserve(for: tiled)
    } else {
      let mapFloats = takesNormalized && forwardGrid.panelGroups > 1 ? s.inputCount : 0
      pool.workspace.reserve(
        shared: isTrained
          ? max(forwardWeights.count + mapFloats, backwardWeights.count + outer.sumsCount) : 0,
        own: isTrained ? max(scratch.count, outer.workerCount) : scratch.count)
    }
  }

  /// output [batch][outputHeight][outputWidth][outputChannels] = input * weight, and the mean and
  /// the biased variance of each of its channels, summed while the output is in cache.
  ///
  /// `scratch` holds at least `momentFloats`.
  public func forward(
    input: ConvolutionInput, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    mean: UnsafeMutablePointer<Float>, variance: UnsafeMutablePointer<Float>, scratch: NormScratch
  ) {
    precondition(scratch.count >= momentFloats, "the scratch is too small for the moments")
    let sums = MomentSums(base: scratch.base, channels: shape.outputChannels)
    let outputs = shape.outputChannels
    forward(input: input, weight: weight, output: output) { rows in
      sums.add(
        part: rows.part, isFirst: rows.isFirst, x: output + rows.pixel &* outputs,
        rows: rows.count, pitch: outputs, from: rows.column, to: rows.column &+ rows.width)
    }
    let grid = forwardGrid
    sums.join(parts: parts, mean: mean, variance: variance) { part in
      tiled?.plan.pixels(part).count ?? grid.pixelCount(part)
    }
  }

  /// output = epilogue(input * weight), in training: the weights change from step to step.
  public func forward(
    input: UnsafePointer<Float>, weight: UnsafePointer<Float>, epilogue: Epilogue,
    output: UnsafeMutablePointer<Float>
  ) {
    forward(input: .stored(input), weight: weight, output: output) { rows in
      epilogue.apply(to: rows, of: output)
    }
  }

  /// The forward pass with weights that change from step to step.
  private func forward(
    input: ConvolutionInput, weight: UnsafePointer<Float>, output: UnsafeMutablePointer<Float>,
    finish: (FinishedRows) -> Void
  ) {
    pool.workspace.use { memory in
      let packing = forwardWeights
      func pack(_ panels: Range<Int>, into packed: UnsafeMutablePointer<Float>) {
        packing.pack(
          weight, columns: shape.outputChannels, panels: panels, into: packed, pool: pool)
      }
      if let tiled, let source = input.stored {
        pack(0..<packing.panels.count, into: memory.shared)
        return run(
          tiled, packed: packing, source: source, target: output, accumulate: false,
          memory: memory, finish: finish)
      }
      let weights: ProductWeights =
        readsWeightsInPlace
        ? .inPlace(weight, stride: shape.outputChannels) : .toPack(into: memory.shared, pack)
      product(
        forwardPlan, forwardGrid, packing, weights: weights, firstTap: 0, source: input,
        target: output, accumulate: false, memory: memory,
        weightSource: WeightSource(weight, stride: shape.outputChannels, isTransposed: false),
        finish: finish)
    }
  }

  /// The parts in which the forward pass computes its output.
  private var parts: Int { tiled?.plan.blocks ?? forwardGrid.parts }

  /// The floats of scratch that the forward pass needs for its statistics.
  public var momentFloats: Int {
    MomentSums.count(parts: parts, channels: shape.outputChannels)
  }

  /// inputGradient = (or += with `accumulate`) the transposed convolution of outputGradient.
  ///
  /// - Parameter weightGradient: where what `backwardWeight` gives is written too, from that input; in
  ///   the same run where that can be, so that no thread waits between the two.
  public func backwardInput(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>,
    inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool,
    weightGradient: (input: ConvolutionInput, target: UnsafeMutablePointer<Float>)? = nil
  ) {
    transposed(
      outputGradient, weight, inputGradient, accumulate: accumulate, weightGradient
    ) { _ in }
  }

  /// For the 1x1 convolution of a normalised map without a gate: the gradient of the norm's
  /// argument z, and its sums over the rows, taken while it is in cache.
  ///
  /// - Parameters:
  ///   - weightGradient: where what `backwardWeight` gives is written too.
  ///   - sums: room for `gradientParts` parts of the input's channels.
  public func backwardInput(
    outputGradient: UnsafePointer<Float>, weight: UnsafePointer<Float>, through map: NormalizedMap,
    argumentGradient: UnsafeMutablePointer<Float>, sums: GradientSums,
    weightGradient: UnsafeMutablePointer<Float>? = nil
  ) {
    precondition(shape.kernel == 1 && shape.stride == 1 && map.gate == nil)
    let inputs = shape.inputChannels
    func run<F: PointwiseFunction>(_: F.Type) {
      transposed(
        outputGradient, weight, argumentGradient, accumulate: false,
        weightGradient.map { (.normalized(map), $0) }
      ) { rows in
        ArgumentGradients<F>(
          map: map, row: rows.pixel, rows: rows.count, channels: inputs, isFirst: rows.isFirst,
          gradient: argumentGradient + rows.pixel &* inputs, sums: sums.part(rows.part),
          sumChannels: inputs
        ).coverChains(from: rows.column, to: rows.column &+ rows.width)
      }
    }
    switch map.activation {
    case .identity: run(IdentityFunction.self)
    case .silu: run(SiluFunction.self)
    case .sigmoid: run(SigmoidFunction.self)
    }
  }

  /// The parts in which `backwardInput` sums the gradients of a normalised map.
  public var gradientParts: Int { backwardGrids.first?.parts ?? 0 }

  private func transposed(
    _ outputGradient: UnsafePointer<Float>, _ weight: UnsafePointer<Float>,
    _ inputGradient: UnsafeMutablePointer<Float>, accumulate: Bool,
    _ weightGradient: (input: ConvolutionInput, target: UnsafeMutablePointer<Float>)?,
    finish: (FinishedRows) -> Void
  ) {
    let isOnePhase = tiledTransposed == nil && phases.count == 1
    // The input may lie where its gradient is written.
    let isJoint = isOnePhase && weightGradient?.input.source != UnsafePointer(inputGradient)
    if let weightGradient, !isJoint {
      backwardWeight(
        input: weightGradient.input, outputGradient: .stored(outputGradient),
        weightGradient: weightGradient.target)
    }
    pool.workspace.use { memory in
      let packing = backwardWeights
      func pack(_ panels: Range<Int>, into packed: UnsafeMutablePointer<Float>) {
        packing.packTransposed(
          weight, columns: shape.inputChannels, depth: shape.outputChannels, order: phaseTaps,
          panels: panels, into: packed, pool: pool)
      }
      // Phases share what is packed.
      if !isOnePhase { pack(0..<packing.panels.count, into: memory.shared) }
      if let tiledTransposed {
        return run(
          tiledTransposed, packed: packing, source: outputGradient, target: inputGradient,
          accumulate: accumulate, memory: memory, finish: finish)
      }
      let joined = (isJoint ? weightGradient : nil).map {
        WeightGradientTasks(
          convolution: self, input: $0.input, outputGradient: .stored(outputGradient),
          weightGradient: $0.target, sums: memory.shared + packing.count, memory: memory)
      }
      let weights: ProductWeights =
        isOnePhase ? .toPack(into: memory.shared, pack) : .packed(memory.shared)
      for (phase, grid) in zip(phases, backwardGrids) {
        product(
          phase.plan, grid, packing, weights: weights, firstTap: phase.firstTap,
          source: .stored(outputGradient), target: inputGradient, accumulate: accumulate,
          memory: memory, joining: joined,
          weightSource: WeightSource(weight, stride: shape.outputChannels, isTransposed: true),
          finish: finish)
      }
      joined?.join()
    }
  }

  /// The floats that `pack` writes.
  public var packedCount: Int { tiled?.filterCount ?? forwardWeights.count }

  /// Brings `weight` into the order in which the forward pass reads it, every output channel times
  /// its `scale`.
  public func pack(
    _ weight: UnsafePointer<Float>, scale: UnsafePointer<Float>,
    into packed: UnsafeMutablePointer<Float>
  ) {
    func pack(into target: UnsafeMutablePointer<Float>) {
      forwardWeights.pack(
        weight, columns: shape.outputChannels, scale: scale,
        panels: 0..<forwardWeights.panels.count, into: target, pool: pool)
    }
    guard let tiled else { return pack(into: packed) }
    pool.workspace.use { memory in
      pack(into: memory.shared)
      tiled.transform(memory.shared, to: packed, pool: pool)
    }
  }

  /// output = epilogue(input * packed weights).
  public func forward(
    input: UnsafePointer<Float>, packed: UnsafePointer<Float>, epilogue: Epilogue,
    output: UnsafeMutablePointer<Float>
  ) {
    pool.workspace.use { memory in
      if let tiled {
        return tiled.run(
          filters: packed, source: input, target: output, accumulate: false, zeros: zeros.base,
          shared: memory.shared, memory: memory, pool: pool
        ) { rows in epilogue.apply(to: rows, of: output) }
      }
      product(
        forwardPlan, forwardGrid, forwardWeights, weights: .packed(packed), firstTap: 0,
        source: .stored(input), target: output, accumulate: false, memory: memory,
        finish: { epilogue.apply(to: $0, of: output) })
    }
  }

  /// A pass by tiles, whose packed filters are in the memory for all.
  private func run(
    _ tiled: any TiledProduct, packed: WeightPacking, source: UnsafePointer<Float>,
    target: UnsafeMutablePointer<Float>, accumulate: Bool, memory: WorkMemory,
    finish: (FinishedRows) -> Void
  ) {
    let filters = memory.shared + packed.count
    tiled.transform(memory.shared, to: filters, pool: pool)
    tiled.run(
      filters: filters, source: source, target: target, accumulate: accumulate, zeros: zeros.base,
      shared: filters + tiled.filterCount, memory: memory, pool: pool, finish: finish)
  }

  /// Memory for the passes by tiles: packed filters, transformed ones, what a pass needs.
  private func reserve(for tiled: any TiledProduct) {
    let products: [any TiledProduct] = [tiled] + [tiledTransposed].compactMap(\.self)
    let passes = products.map { $0.filterCount + $0.sharedCount }
    let packed = max(forwardWeights.count, backwardWeights.count)
    pool.workspace.reserve(
      shared: max(packed + (passes.max() ?? 0), tiledWeightGradient?.sharedCount ?? 0),
      own: max(
        products.map(\.workerCount).max() ?? 0, tiledWeightGradient?.workerCount ?? 0))
  }
}

/// What a convolution reads: a map in memory, or one that is computed while it is read, which only
/// the 1x1 convolutions do.
public enum ConvolutionInput {
  case stored(UnsafePointer<Float>)
  case normalized(NormalizedMap)

  var stored: UnsafePointer<Float>? {
    if case .stored(let base) = self { base } else { nil }
  }
  var normalized: NormalizedMap? {
    if case .normalized(let map) = self { map } else { nil }
  }
  /// What is read from memory.
  var source: UnsafePointer<Float> {
    switch self {
    case .stored(let base): base
    case .normalized(let map): map.x
    }
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
    /// Room for a block of input rows that are computed.
    let rows: UnsafeMutablePointer<Float>
    /// Room for weights that a task packs.
    let packed: UnsafeMutablePointer<Float>
  }

  private let tableCount: Int
  private let patchCount: Int
  /// Floats per worker: whole cache lines.
  let count: Int

  private let spareCount: Int
  private let packedCount: Int

  /// - Parameters:
  ///   - packedFloats: the floats of weights that a task packs, a multiple of 16.
  ///   - rowFloats: the floats of computed input rows.
  init(
    _ plans: [GatherPlan], shape: ConvolutionShape, packedFloats: Int = 0, rowFloats: Int = 0
  ) {
    packedCount = packedFloats
    tableCount = GatherPlan.block * (plans.map(\.taps).max() ?? 0)
    patchCount = plans.map(\.patchCount).max() ?? 0
    spareCount = max(shape.inputChannels, shape.outputChannels) + 128
    let total =
      packedFloats + 2 * (tableCount + GatherPlan.block) + patchCount + GatherTile.temporaryCount
      + spareCount
      + rowFloats
    count = (total + 31) & ~15
  }

  @inline(__always)
  func places(_ memory: UnsafeMutablePointer<Float>) -> Places {
    let base = memory + packedCount
    let tables = UnsafeMutableRawPointer(base)
    let pointer = MemoryLayout<RowPointer>.stride
    let targets = tables + tableCount &* pointer
    let patches = base + 2 &* (tableCount &+ GatherPlan.block)
    let spare = patches + (patchCount &+ GatherTile.temporaryCount)
    return Places(
      table: tables.assumingMemoryBound(to: RowPointer.self),
      targets: targets.assumingMemoryBound(to: TargetPointer.self), patches: patches,
      spare: spare, temporary: patches + patchCount, rows: spare + spareCount,
      packed: memory)
  }
}
