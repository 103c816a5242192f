public import Kernels

/// The layers of a training step and where each of their tensors lies, planned before anything is
/// allocated.
struct TrainingLayout {
  let input: TensorSlot
  let body: any TrainingBody
  let expandedGradient: TensorSlot
  let filteredGradient: TensorSlot
  let skipGradient: TensorSlot
  /// Floats of the tensors with a place of their own, and of all.
  let own: Int
  let extent: Int
  /// Floats for sums.
  let scratchFloats: Int
  /// The elements of the flat gradient buffer that train and are added to.
  let addedGradients: [Range<Int>]

  /// The floats of a map that counts as cached: four megabytes, what the caches of a few cores hold.
  static let cachedCount = 1 << 20

  /// - Parameter cachedCount: the floats of a map that counts as cached.
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense.
  init(
    _ blueprint: Blueprint, batch: Int, inputSize: Int, isCheckpointing: Bool,
    dropPathRate: Double, normMomentum: Double? = nil, freezing: Freezing,
    cachedCount: Int = Self.cachedCount, pool: ThreadPool
  ) throws {
    guard batch > 0 else { throw ArchitectureError.batchSize(batch) }
    try blueprint.checkExtent(batch: batch, inputSize: inputSize)
    var planner = LayerPlanner(
      blueprint, isCheckpointing: isCheckpointing, dropPathRate: dropPathRate,
      normMomentum: normMomentum, freezing: freezing, cachedCount: cachedCount, pool: pool)
    let image = FeatureMap(batch: batch, size: inputSize, channels: blueprint.inputChannels)
    input = planner.workspace.reserve(image)
    switch blueprint.body {
    case .convolutional(let body):
      self.body = ConvolutionalTraining(
        body, classifier: blueprint.classifier, image: image, &planner)
    case .transformer(let body):
      self.body = TransformerTraining(
        body, classifier: blueprint.classifier, image: image,
        grid: try body.grid(inputSize: inputSize), &planner)
    }
    guard planner.fewestRows > 1 else {
      throw ArchitectureError.singleValuePerChannel(inputSize: inputSize)
    }
    expandedGradient = planner.workspace.reserve(planner.expandedGradient)
    filteredGradient = planner.workspace.reserve(planner.filteredGradient)
    skipGradient = planner.workspace.reserve(planner.skipGradient)
    own = planner.workspace.extent
    extent = own + planner.sharedExtent
    scratchFloats = planner.scratchFloats
    let written = planner.writtenGradients.sorted { $0.lowerBound < $1.lowerBound }
    addedGradients = freezing.trainedRanges(in: 0..<planner.table.weightExtent)
      .flatMap { $0.removing(written) }
  }

  /// Bytes for activations and their gradients.
  var workspaceBytes: Int { extent * MemoryLayout<Float>.stride }

  /// Refuses what the machine has no memory for.
  /// - Throws: `ArchitectureError.memory`.
  func checkMemory(batch: Int, inputSize: Int) throws {
    try Model.checkMemory(workspaceBytes, batch: batch, inputSize: inputSize)
  }
}

extension TrainingLayout {
  /// The layout of one stage of a training.
  init(
    _ network: Network, _ settings: Hyperparameters, _ stage: TrainingStage,
    _ freezing: Freezing, _ pool: ThreadPool
  ) throws {
    try self.init(
      network.blueprint, batch: stage.rows, inputSize: stage.inputSize,
      isCheckpointing: settings.isCheckpointing, dropPathRate: settings.dropPath,
      normMomentum: settings.normMomentum, freezing: freezing, pool: pool)
  }

  /// The layout of the stage that needs the most memory.
  static func largest(
    _ network: Network, _ settings: Hyperparameters, _ freezing: Freezing, _ pool: ThreadPool
  ) throws -> (TrainingLayout, TrainingStage) {
    let all = try settings.progression.stages.map {
      (try TrainingLayout(network, settings, $0, freezing, pool), $0)
    }
    guard let largest = all.max(by: { $0.0.extent < $1.0.extent }) else {
      preconditionFailure("a training has a stage")
    }
    return largest
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

  /// Plans a training step, that of the largest stage, without allocating it.
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense, `HyperparameterError`
  ///   when `freeze` does not fit the network.
  public init(_ network: Network, settings: Hyperparameters, pool: ThreadPool) throws {
    let freezing = try settings.freezing(.whole, network.blueprint.parameters)
    let (layout, stage) = try TrainingLayout.largest(network, settings, freezing, pool)
    let float = MemoryLayout<Float>.stride
    let gradients = [layout.expandedGradient, layout.filteredGradient, layout.skipGradient]
      .reduce(0) { $0 + $1.count }
    let table = network.blueprint.parameters
    let state = settings.optimizer.stateFloats(of: table)
    let pixels = stage.inputSize * stage.inputSize * network.blueprint.inputChannels
    items = [
      Item(name: "maps kept for backward", bytes: (layout.own - gradients) * float),
      Item(name: "maps of one block at a time", bytes: (layout.extent - layout.own) * float),
      Item(name: "gradients within a block", bytes: gradients * float),
      Item(
        name: "sums and packed weights", bytes: layout.scratchFloats * float + pool.scratchBytes),
      Item(name: "weights", bytes: (table.weightExtent + table.bufferExtent) * float),
      Item(name: "gradients of the weights", bytes: table.weightExtent * float),
      Item(name: "optimizer", bytes: state.optimizer * float),
      Item(
        name: "batches prepared ahead", bytes: (2 + settings.workers) * stage.loadedRows * pixels),
      Item(name: "average of the weights", bytes: state.average * float),
      Item(name: "sums of gradients", bytes: state.accumulation * float),
    ]
    available = availableMemory()
  }
}
