public import Kernels

/// The layers of a training step and where each of their tensors lies, planned before anything is
/// allocated.
struct TrainingLayout {
  let input: TensorSlot
  let stem: ConvNorm
  let stemOutput: TensorSlot
  let blocks: [Block]
  let head: Head
  let expandedGradient: TensorSlot
  let filteredGradient: TensorSlot
  let isCheckpointing: Bool
  /// Floats of the tensors with a place of their own, and of all.
  let own: Int
  let extent: Int
  /// Floats for sums.
  let scratchFloats: Int

  /// - Throws: `ArchitectureError` when the batch or the size makes no sense.
  init(
    _ blueprint: Blueprint, batch: Int, inputSize: Int, isCheckpointing: Bool, pool: ThreadPool
  ) throws {
    guard batch > 0 else { throw ArchitectureError.batchSize(batch) }
    try blueprint.checkExtent(batch: batch, inputSize: inputSize)
    var planner = LayerPlanner(blueprint, isCheckpointing: isCheckpointing, pool: pool)
    let image = FeatureMap(batch: batch, size: inputSize, channels: blueprint.inputChannels)
    input = planner.workspace.reserve(image)
    stem = ConvNorm(blueprint.stem, input: image, &planner)
    stemOutput = planner.workspace.reserve(stem.output)
    var map = stem.output
    var blocks: [Block] = []
    for unit in blueprint.blocks {
      let block = planner.planBlock { Block(unit, input: map, &$0) }
      map = block.output
      blocks.append(block)
    }
    self.blocks = blocks
    head = Head(blueprint.head, classifier: blueprint.classifier, input: map, &planner)
    guard planner.fewestRows > 1 else {
      throw ArchitectureError.singleValuePerChannel(inputSize: inputSize)
    }
    expandedGradient = planner.workspace.reserve(planner.expandedGradient)
    filteredGradient = planner.workspace.reserve(planner.filteredGradient)
    self.isCheckpointing = isCheckpointing
    own = planner.workspace.extent
    extent = own + planner.sharedExtent
    scratchFloats = planner.scratchFloats
  }
}

/// What a training step needs of the machine's memory, before it is allocated.
public struct TrainingMemory: Sendable {
  /// A use of memory.
  public struct Item: Sendable {
    /// What it is for, in a few words.
    public let name: String
    /// How much it takes.
    public let bytes: Int
  }

  /// The uses, the largest kinds first.
  public let items: [Item]
  /// What the machine has left, as far as it says so.
  public let available: Int?
  /// The sum of all uses.
  public var total: Int { items.reduce(0) { $0 + $1.bytes } }

  /// Plans a training step without allocating it.
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense.
  public init(_ network: Network, settings: Hyperparameters, pool: ThreadPool) throws {
    let layout = try TrainingLayout(
      network.blueprint, batch: settings.batchSize, inputSize: settings.preprocessing.inputSize,
      isCheckpointing: settings.isCheckpointing, pool: pool)
    let float = MemoryLayout<Float>.stride
    let gradients = layout.expandedGradient.count + layout.filteredGradient.count
    let table = network.blueprint.parameters
    let pixels = settings.preprocessing.inputSize * settings.preprocessing.inputSize * 3
    items = [
      Item(name: "maps kept for backward", bytes: (layout.own - gradients) * float),
      Item(name: "maps of one block at a time", bytes: (layout.extent - layout.own) * float),
      Item(name: "gradients within a block", bytes: gradients * float),
      Item(
        name: "sums and packed weights", bytes: layout.scratchFloats * float + pool.scratchBytes),
      Item(name: "weights", bytes: (table.weightExtent + table.bufferExtent) * float),
      Item(name: "gradients of the weights", bytes: table.weightExtent * float),
      Item(name: "optimizer", bytes: table.weightExtent * float),
      Item(
        name: "batches prepared ahead", bytes: (2 + settings.workers) * settings.batchSize * pixels),
    ]
    available = availableMemory()
  }
}
