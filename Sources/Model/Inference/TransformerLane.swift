internal import Kernels

/// A thread, or all threads together, with the memory to apply a transformer to one image.
///
/// SAFETY: one thread at a time may run a lane; its pointers live as long as the lane.
final class TransformerLane: @unchecked Sendable {
  /// The layers of a block.
  private struct Block {
    let attentionNorm: RowNorm
    let attentionInput: DenseLayer
    let attentionOutput: DenseLayer
    let hiddenNorm: RowNorm
    let hiddenInput: DenseLayer
    let hiddenOutput: DenseLayer
  }

  private let pool: ThreadPool
  private let network: Network
  private let patches: PatchUnit
  private let grid: Int
  private let channels: Int
  private let blocks: [Block]
  private let norm: RowNorm
  private let classifier: DenseLayer
  private let attention: Attention
  private let memory: FloatMemory
  /// The tokens, their normalised copy or what was attended, and the widest tensor of a block.
  private let tokenSlot: TensorSlot
  private let normalizedSlot: TensorSlot
  private let wideSlot: TensorSlot

  private var tokens: Int { PatchUnit.tokens(grid: grid) }
  private var weights: UnsafePointer<Float> { UnsafePointer(network.parameters.weights) }

  init(_ body: TransformerBody, of network: Network, grid: Int, pool: ThreadPool) {
    self.pool = pool
    self.network = network
    self.grid = grid
    patches = body.patches
    let (shape, table) = (body.shape, network.blueprint.parameters)
    channels = shape.channels
    func norm(_ references: LayerNormReferences) -> RowNorm {
      RowNorm(references, channels: shape.channels, epsilon: shape.normEpsilon, table)
    }
    blocks = body.blocks.map {
      Block(
        attentionNorm: norm($0.attentionNorm),
        attentionInput: DenseLayer($0.attentionInput, table),
        attentionOutput: DenseLayer($0.attentionOutput, table), hiddenNorm: norm($0.hiddenNorm),
        hiddenInput: DenseLayer($0.hiddenInput, table),
        hiddenOutput: DenseLayer($0.hiddenOutput, table))
    }
    self.norm = norm(body.norm)
    classifier = DenseLayer(network.blueprint.classifier, table)
    attention = Attention(
      batch: 1, tokens: PatchUnit.tokens(grid: grid), heads: shape.heads,
      size: shape.channels / shape.heads, pool: pool, isTrained: false)
    let layout = Self.layout(body, grid: grid)
    (tokenSlot, normalizedSlot, wideSlot) = (layout.slots[0], layout.slots[1], layout.slots[2])
    memory = FloatMemory(count: layout.extent)
  }

  /// The floats that a lane allocates.
  static func extent(_ body: TransformerBody, grid: Int) -> Int {
    layout(body, grid: grid).extent
  }

  private static func layout(
    _ body: TransformerBody, grid: Int
  ) -> (slots: [TensorSlot], extent: Int) {
    let tokens = PatchUnit.tokens(grid: grid)
    let narrow = tokens * body.shape.channels
    let wide = max(tokens * body.shape.hiddenChannels, grid * grid * body.patches.patchCount)
    var plan = WorkspacePlan()
    return ([narrow, narrow, wide].map { plan.reserve($0) }, plan.extent)
  }

  /// Applies the network to an image.
  ///
  /// - Parameter positions: of this grid, [1 + grid², channels].
  func run(_ image: Int, _ tensors: InferenceTensors, positions: UnsafePointer<Float>) {
    let x = memory.base + tokenSlot.offset
    let normalized = memory.base + normalizedSlot.offset
    embed(tensors.input + image * grid * grid * patches.patchCount, positions, into: x)
    for block in blocks { apply(block, x) }
    norm.forward(
      x, rows: tokens, statistics: nil, output: normalized, weights: weights, pool: pool)
    let count = grid * grid * channels
    (tensors.features + image * count).update(from: normalized + channels, count: count)
    classifier.forward(
      normalized, rows: 1, output: tensors.logits + image * classifier.outputs, weights: weights,
      pool: pool)
  }

  private func embed(
    _ image: UnsafePointer<Float>, _ positions: UnsafePointer<Float>,
    into x: UnsafeMutablePointer<Float>
  ) {
    let table = network.blueprint.parameters
    let wide = memory.base + wideSlot.offset
    gatherPatches(
      image, grid: grid, size: patches.size, channels: patches.inputs, patches: wide, pool: pool)
    denseForward(
      wide, weight: weights + table[patches.weight].offset,
      bias: weights + table[patches.bias].offset, residual: positions + channels,
      n: grid * grid, inputs: patches.patchCount, outputs: channels, output: x + channels,
      pool: pool)
    x.update(from: positions, count: channels)
    accumulate(weights + table[patches.classToken].offset, to: x, count: channels, pool: pool)
  }

  /// A block, in place.
  private func apply(_ block: Block, _ x: UnsafeMutablePointer<Float>) {
    let normalized = memory.base + normalizedSlot.offset
    let wide = memory.base + wideSlot.offset
    func dense(
      _ layer: DenseLayer, _ input: UnsafePointer<Float>, adding: UnsafePointer<Float>? = nil,
      to output: UnsafeMutablePointer<Float>
    ) {
      layer.forward(
        input, rows: tokens, residual: adding, output: output, weights: weights, pool: pool)
    }
    func normalize(_ norm: RowNorm) {
      norm.forward(
        x, rows: tokens, statistics: nil, output: normalized, weights: weights, pool: pool)
    }
    normalize(block.attentionNorm)
    dense(block.attentionInput, normalized, to: wide)
    attention.forward(qkv: wide, output: normalized)
    dense(block.attentionOutput, normalized, adding: x, to: x)
    normalize(block.hiddenNorm)
    dense(block.hiddenInput, normalized, to: wide)
    geluForward(wide, count: tokens * block.hiddenInput.outputs, output: wide, pool: pool)
    dense(block.hiddenOutput, wide, adding: x, to: x)
  }
}
