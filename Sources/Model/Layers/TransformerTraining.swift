internal import Kernels

/// A vision transformer: the embedding of patches, blocks, and a classifier on the normalised class
/// token.
struct TransformerTraining: TrainingBody {
  let classifier: ClassifierHead

  private let batch: Int
  private let tokens: Int
  private let channels: Int
  private let embedding: PatchEmbedding
  private let embedded: TensorSlot
  private let blocks: [TransformerBlock]
  private let norm: RowNorm
  /// The class tokens before the norm [N, D], their statistics and their gradient.
  private let classTokens: TensorSlot
  private let statistics: TensorSlot
  private let classGradient: TensorSlot
  private let isCheckpointing: Bool
  private let freezing: Freezing

  /// - Parameter grid: the patches along an edge of the image.
  init(
    _ body: TransformerBody, classifier: DenseUnit, image: FeatureMap, grid: Int,
    _ planner: inout LayerPlanner
  ) {
    let shape = body.shape
    batch = image.batch
    tokens = PatchUnit.tokens(grid: grid)
    channels = shape.channels
    embedding = PatchEmbedding(body.patches, batch: batch, grid: grid, &planner)
    embedded = planner.workspace.reserve(batch * tokens * channels)
    var blocks: [TransformerBlock] = []
    for unit in body.blocks {
      // The last block has the whole rate (timm).
      let share = Double(unit.ordinal) / Double(max(1, shape.depth - 1))
      let (batch, tokens) = (batch, tokens)
      blocks.append(
        planner.planBlock {
          TransformerBlock(
            unit, shape: shape, batch: batch, tokens: tokens, share: share, &$0)
        })
    }
    self.blocks = blocks
    norm = RowNorm(body.norm, channels: channels, epsilon: shape.normEpsilon, planner.table)
    classTokens = planner.workspace.reserve(batch * channels)
    statistics = planner.workspace.reserve(2 * batch)
    classGradient = planner.workspace.reserve(batch * channels)
    self.classifier = ClassifierHead(classifier, batch: batch, &planner)
    isCheckpointing = planner.isCheckpointing
    freezing = planner.freezing
  }

  /// Where the tokens in front of a block are; behind the last one for the block count.
  private func tokens(_ index: Int, _ context: LayerContext) -> UnsafeMutablePointer<Float> {
    context[index == 0 ? embedded : blocks[index - 1].saved.output]
  }

  func forward(input: UnsafeMutablePointer<Float>, dropout: Dropout?, _ context: LayerContext) {
    context.profile?.enter(0, isBackward: false)
    embedding.forward(image: input, tokens: tokens(0, context), context)
    for (index, block) in blocks.enumerated() {
      context.profile?.enter(index + 1, isBackward: false)
      block.forward(input: tokens(index, context), context)
    }
    context.profile?.enter(blocks.count + 1, isBackward: false)
    context.measure(.classifier) {
      let (last, rows) = (tokens(blocks.count, context), context[classTokens])
      for image in 0..<batch {
        (rows + image * channels).update(from: last + image * tokens * channels, count: channels)
      }
      norm.forward(
        rows, rows: batch, statistics: context[statistics],
        output: context[classifier.saved.features], weights: context.weights, pool: context.pool)
      classifier.forward(dropout: dropout, context)
    }
  }

  func backward(
    input: UnsafeMutablePointer<Float>, dropped: Bool, finished: (_ block: Int) -> Void,
    _ context: LayerContext
  ) {
    context.profile?.enter(blocks.count + 1, isBackward: true)
    // The last block's output is read no more: its gradient takes its place, and then stays there.
    let gradient = tokens(blocks.count, context)
    context.measure(.classifier) { classifier.backward(dropped: dropped, context) }
    guard classifier.wantsFeatureGradient else { return }
    context.measure(.classifier) {
      let rows = context[classGradient]
      rows.update(repeating: 0, count: batch * channels)
      norm.backward(
        context[classTokens], rows: batch, statistics: context[statistics],
        outputGradient: context[classifier.saved.featureGradient], inputGradient: rows, context)
      fill(gradient, 0, count: batch * tokens * channels, pool: context.pool)
      for image in 0..<batch {
        (gradient + image * tokens * channels).update(
          from: rows + image * channels, count: channels)
      }
    }
    finished(blocks.count)
    for index in blocks.indices.reversed() {
      guard freezing.trains(upToBlock: index) else { return }
      let input = tokens(index, context)
      context.profile?.enter(index + 1, isBackward: true)
      if isCheckpointing { blocks[index].compute(input: input, context) }
      blocks[index].backward(input: input, gradient: gradient, context)
      finished(index)
    }
    guard freezing.trainsStem else { return }
    context.profile?.enter(0, isBackward: true)
    embedding.backward(image: input, gradient: gradient, context)
  }
}
