internal import Kernels

/// The layers of a network from the images to the logits, planned for training: one type for each
/// kind of network.
protocol TrainingBody {
  /// Where the logits and their gradient are.
  var classifier: ClassifierHead { get }

  /// Computes the logits of the images, and keeps what backward needs.
  ///
  /// - Parameter dropout: nil where no feature is dropped.
  func forward(input: UnsafeMutablePointer<Float>, dropout: Dropout?, _ context: LayerContext)

  /// Adds the gradient of every weight that trains, from that of the logits; that of a frozen one
  /// may be anything.
  ///
  /// - Parameter finished: is told of blocks, one after the other, when the gradients of a block and of all
  ///   that follows it are done and their weights are read no more; of the number of blocks first, when
  ///   those behind the last one are.
  func backward(
    input: UnsafeMutablePointer<Float>, dropped: Bool, finished: (_ block: Int) -> Void,
    _ context: LayerContext)
}

/// A stem, residual blocks, and a pooled head.
struct ConvolutionalTraining: TrainingBody {
  private let stem: ConvNorm
  private let stemOutput: TensorSlot
  private let blocks: [Block]
  private let dropPaths: [DropPath?]
  private let head: Head
  private let isCheckpointing: Bool
  private let freezing: Freezing

  var classifier: ClassifierHead { head.classifier }

  init(
    _ body: ConvolutionalBody, classifier: DenseUnit, image: FeatureMap,
    _ planner: inout LayerPlanner
  ) {
    stem = ConvNorm(body.stem, input: image, &planner)
    stemOutput = planner.workspace.reserve(stem.output)
    var map = stem.output
    var blocks: [Block] = []
    var dropPaths: [DropPath?] = []
    for unit in body.blocks {
      let block = planner.planBlock { Block(unit, input: map, &$0) }
      map = block.output
      blocks.append(block)
      // The rate grows with the depth; the last block's is a step below the whole (timm).
      let share = Double(unit.ordinal) / Double(body.blocks.count)
      dropPaths.append(
        unit.hasSkip
          ? DropPath(
            share: share, branch: unit.ordinal, images: map.batch,
            elements: map.spatial * map.channels, &planner) : nil)
    }
    self.blocks = blocks
    self.dropPaths = dropPaths
    head = Head(body.head, classifier: classifier, input: map, &planner)
    isCheckpointing = planner.isCheckpointing
    freezing = planner.freezing
  }

  func forward(input: UnsafeMutablePointer<Float>, dropout: Dropout?, _ context: LayerContext) {
    context.profile?.enter(0, isBackward: false)
    stem.forward(input: .stored(input), residual: nil, output: context[stemOutput], context)
    var current = context[stemOutput]
    for (index, block) in blocks.enumerated() {
      context.profile?.enter(index + 1, isBackward: false)
      block.forward(input: current, context)
      let output = context[block.outputSlot]
      dropPaths[index]?.forward(input: current, output: output, context)
      current = output
    }
    context.profile?.enter(blocks.count + 1, isBackward: false)
    head.forward(input: current, dropout: dropout, context)
  }

  func backward(
    input: UnsafeMutablePointer<Float>, dropped: Bool, finished: (_ block: Int) -> Void,
    _ context: LayerContext
  ) {
    context.profile?.enter(blocks.count + 1, isBackward: true)
    var gradient = head.backward(
      input: blocks.last.map { context[$0.outputSlot] } ?? context[stemOutput],
      dropped: dropped, context)
    finished(blocks.count)
    for index in blocks.indices.reversed() {
      guard freezing.trains(upToBlock: index) else { return }
      let input = index == 0 ? context[stemOutput] : context[blocks[index - 1].outputSlot]
      context.profile?.enter(index + 1, isBackward: true)
      if isCheckpointing {
        var recomputing = context
        recomputing.isRecomputing = true
        blocks[index].recompute(input: input, recomputing)
      }
      dropPaths[index]?.backward(gradient: gradient, context)
      gradient = blocks[index].backward(input: input, gradient: gradient, context)
      dropPaths[index]?.finish(gradient: gradient, context)
      finished(index)
    }
    guard freezing.trainsStem else { return }
    context.profile?.enter(0, isBackward: true)
    stem.backward(
      input: input, outputGradient: gradient, inputGradient: nil, accumulate: false, context)
  }
}
