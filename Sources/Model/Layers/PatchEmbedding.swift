internal import Kernels

/// From pixels to tokens: each patch by a matrix, the class token in front, and a learned vector for
/// each position.
///
/// image [N, S, S, C] → tokens [N, 1 + G², D]. Positions that were learned for another grid are
/// resized as timm's `resample_abs_pos_embed` does it, and so are their gradients on the way back.
struct PatchEmbedding {
  private let unit: PatchUnit
  private let batch: Int
  private let grid: Int
  private let weight: Int
  private let bias: Int
  private let classToken: Int
  private let positions: Int
  private let trainsWeight: Bool
  private let trainsBias: Bool
  /// The patches of one image.
  private let patches: TensorSlot
  /// The positions of this grid, and their gradient.
  private let resized: TensorSlot
  private let resize: MapResize?
  private let resizeScratch: TensorSlot

  private var tokens: Int { PatchUnit.tokens(grid: grid) }
  private var channels: Int { unit.outputs }

  init(_ unit: PatchUnit, batch: Int, grid: Int, _ planner: inout LayerPlanner) {
    self.unit = unit
    self.batch = batch
    self.grid = grid
    weight = planner.table[unit.weight].offset
    bias = planner.table[unit.bias].offset
    classToken = planner.table[unit.classToken].offset
    positions = planner.table[unit.positions].offset
    trainsWeight = planner.freezing.trains(unit.weight)
    trainsBias = planner.freezing.trains(unit.bias)
    resize = unit.grid == grid ? nil : MapResize(inputGrid: unit.grid, outputGrid: grid)
    patches = planner.workspace.reserve(grid * grid * unit.patchCount)
    resized = planner.workspace.reserve(PatchUnit.tokens(grid: grid) * unit.outputs)
    resizeScratch = planner.workspace.reserve(
      resize?.scratchCount(channels: unit.outputs) ?? 0)
  }

  func forward(
    image: UnsafePointer<Float>, tokens output: UnsafeMutablePointer<Float>,
    _ context: LayerContext
  ) {
    context.measure(.matrixProduct) {
      let positions = presentPositions(context)
      for index in 0..<batch {
        let target = output + index * tokens * channels
        gather(image, index, context)
        denseForward(
          context[patches], weight: context.weights + weight, bias: context.weights + bias,
          residual: positions + channels, n: grid * grid, inputs: unit.patchCount,
          outputs: channels, output: target + channels, pool: context.pool)
        target.update(from: positions, count: channels)
        accumulate(
          context.weights + classToken, to: target, count: channels, pool: context.pool)
      }
    }
  }

  /// Adds the gradients of the weights from that of the tokens.
  func backward(
    image: UnsafePointer<Float>, gradient: UnsafePointer<Float>, _ context: LayerContext
  ) {
    context.measure(.weightGradient) {
      for index in 0..<batch where trainsWeight || trainsBias {
        gather(image, index, context)
        denseBackward(
          context[patches], weight: context.weights + weight,
          outputGradient: gradient + (index * tokens + 1) * channels, n: grid * grid,
          inputs: unit.patchCount, outputs: channels, inputGradient: nil,
          weightGradient: trainsWeight ? context.gradients + weight : nil,
          biasGradient: trainsBias ? context.gradients + bias : nil, pool: context.pool)
      }
      let sums = context[resized]
      let target = context.gradients + positions
      fill(sums, 0, count: tokens * channels, pool: context.pool)
      addColumnSums(
        gradient, rows: batch, columns: tokens * channels, to: sums, pool: context.pool)
      accumulate(sums, to: context.gradients + classToken, count: channels, pool: context.pool)
      guard let resize else {
        return accumulate(sums, to: target, count: tokens * channels, pool: context.pool)
      }
      accumulate(sums, to: target, count: channels, pool: context.pool)
      resize.backward(
        outputGradient: sums + channels, channels: channels, scratch: context[resizeScratch],
        mapGradient: target + channels)
    }
  }

  private func gather(_ image: UnsafePointer<Float>, _ index: Int, _ context: LayerContext) {
    gatherPatches(
      image + index * grid * grid * unit.patchCount, grid: grid, size: unit.size,
      channels: unit.inputs, patches: context[patches], pool: context.pool)
  }

  private func presentPositions(_ context: LayerContext) -> UnsafePointer<Float> {
    let learned = context.weights + positions
    guard let resize else { return UnsafePointer(learned) }
    let target = context[resized]
    target.update(from: learned, count: channels)
    resize.forward(
      learned + channels, channels: channels, scratch: context[resizeScratch],
      output: target + channels)
    return UnsafePointer(target)
  }
}
