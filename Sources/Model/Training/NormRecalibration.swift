public import Kernels

/// Estimates the running statistics of batch norms anew for a network's present weights, as
/// `torch.optim.swa_utils.update_bn` does: the mean over a number of batches, each counting alike.
///
/// Weights that were averaged, loaded, or moved fast have statistics that lag behind or never were
/// theirs. The batches are those with which a training with the same seed begins, cropped, flipped and
/// recoloured as in its last stage, but neither mixed nor erased; dropout and drop path are off. The
/// result does not depend on the statistics before, nor on the number of threads and workers.
public struct NormRecalibration {
  private let network: Network
  private let graph: TrainingGraph
  private let stage: TrainingStage
  private let settings: Hyperparameters

  /// Plans the passes.
  /// - Throws: `TrainingError.noBatchNorm`; `ArchitectureError` when the memory is too small.
  public init(_ network: Network, settings: Hyperparameters, pool: ThreadPool) throws {
    guard network.parameters.table.bufferExtent > 0 else {
      throw TrainingError.noBatchNorm(network.blueprint.variant.qualifiedName)
    }
    try network.blueprint.checkImages()
    let stages = settings.progression.stages
    self.network = network
    self.settings = settings
    stage = stages[stages.count - 1]
    graph = try TrainingGraph(
      network, batch: stage.batchSize, inputSize: stage.inputSize,
      isCheckpointing: settings.isCheckpointing, pool: pool)
  }

  /// Takes so many batches of training images, or all that an epoch has.
  ///
  /// - Parameter progress: is told after each batch how many are done, of how many; it answers whether
  ///   to go on.
  /// - Returns: the batches that were taken; nil when `progress` stopped it: then the network is as it
  ///   was.
  /// - Throws: what an image that cannot be read throws; the network is as it was.
  public func run(
    _ dataset: any Dataset, batches: Int, progress: (_ done: Int, _ total: Int) throws -> Bool
  ) throws -> Int? {
    let loader = BatchLoader(
      dataset: dataset, transform: settings.trainTransform(stage), batchSize: stage.batchSize,
      seed: settings.seed, epoch: 0, shuffle: true, dropLast: true, workers: settings.workers)
    defer { loader.close() }
    let targets = BatchTargets(capacity: stage.batchSize)
    let total = min(batches, loader.batchCount)
    let done = try run(batches: total) { index in
      guard try progress(index, total) else { return false }
      _ = try loader.next(into: graph.input, targets: targets)
      return true
    }
    if done != nil { _ = try progress(total, total) }
    return done
  }

  /// Takes so many batches that `fill` writes into the graph's input; it answers whether to go on.
  func run(batches: Int, _ fill: (Int) throws -> Bool) throws -> Int? {
    let parameters = network.parameters
    let table = parameters.table
    let before = ParameterStore(table)
    before.copyMatching(from: parameters)
    var isDone = false
    defer { if !isDone { parameters.copyMatching(from: before) } }
    parameters.buffers.update(repeating: 0, count: table.bufferExtent)
    parameters.counters.update(repeating: 0, count: table.counterCount)
    for index in 0..<batches {
      guard try fill(index) else { return nil }
      graph.forward(normShare: 1 / Double(index + 1))
    }
    isDone = batches > 0
    return batches
  }

  /// Where the images of a batch go.
  var input: UnsafeMutablePointer<Float> { graph.input }
}
