public import Kernels

/// A network for inference: every batch norm folded into the convolution before it, with the
/// running statistics; no dropout, nothing kept for a backward pass.
///
/// Images are computed in small groups whose maps stay in cache, each group by one thread; a single
/// group is shared by all threads. An image's logits depend neither on the rest of its batch nor on
/// the number of threads, bit for bit. Memory is allocated once for the largest batch.
///
/// One thread at a time may use it. SAFETY: its pointers live as long as the object.
public final class FoldedNetwork {
  /// The network whose weights are applied.
  public let network: Network
  /// The most images of one run.
  public let maxBatch: Int
  /// The edge of the square input, in pixels.
  public let inputSize: Int
  /// The edge of the last feature map, before the pooling.
  public let featureSize: Int
  /// The memory held for folded weights and activations.
  public let workspaceBytes: Int

  private let pool: ThreadPool
  private let memory: FloatMemory
  private let inputOffset: Int
  private let featureOffset: Int
  private let logitOffset: Int
  private let weights: FoldedWeights
  /// The images of a group.
  private let group: Int
  /// All threads on one group.
  private let shared: FoldedLane
  /// A lane per thread; empty where there is never more than one group.
  private var lanes: [FoldedLane] = []

  /// Folds the network's present weights.
  ///
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense or needs more memory
  ///   than the machine has.
  public init(_ network: Network, maxBatch: Int, inputSize: Int, pool: ThreadPool) throws {
    let blueprint = network.blueprint
    guard maxBatch > 0 else { throw ArchitectureError.batchSize(maxBatch) }
    try blueprint.checkExtent(batch: maxBatch, inputSize: inputSize)
    group = min(maxBatch, Self.groupSize(inputSize: inputSize))
    let program = FoldedProgram(blueprint, batch: group, inputSize: inputSize, pool: pool)
    featureSize = program.head.output.size

    var plan = WorkspacePlan()
    inputOffset = plan.reserve(maxBatch * program.input.count / group).offset
    featureOffset = plan.reserve(maxBatch * program.head.output.count / group).offset
    logitOffset = plan.reserve(maxBatch * blueprint.classCount).offset
    let laneCount = maxBatch > group && pool.threads > 1 ? pool.threads : 0
    let weightCount = program.layers.reduce(0) { $0 + $1.weightCount }
    let floats = plan.extent + weightCount + (laneCount + 1) * FoldedLane.extent(program)
    workspaceBytes = floats * MemoryLayout<Float>.stride
    try checkMemory(workspaceBytes, batch: maxBatch, inputSize: inputSize)

    memory = FloatMemory(count: plan.extent)
    weights = FoldedWeights(blueprint, program)
    shared = FoldedLane(blueprint, program: program, weights: weights, pool: pool)
    for _ in 0..<laneCount {
      let own = ThreadPool(threads: 1)
      let program = FoldedProgram(blueprint, batch: group, inputSize: inputSize, pool: own)
      lanes.append(FoldedLane(blueprint, program: program, weights: weights, pool: own))
    }
    self.network = network
    self.maxBatch = maxBatch
    self.inputSize = inputSize
    self.pool = pool
    refresh()
  }

  /// As many images as have about a megabyte of pixels in the first maps: what a core's cache
  /// holds, and enough for full tiles in the last maps, 32 times smaller.
  private static func groupSize(inputSize: Int) -> Int {
    max(1, min(32, 32_768 / (inputSize * inputSize)))
  }

  /// The normalised images [maxBatch, size, size, channels], filled by the caller.
  public var input: UnsafeMutablePointer<Float> { memory.base + inputOffset }

  /// The head's feature map of the last run: [batch, featureSize, featureSize, features], what
  /// timm calls `forward_features` (in NHWC).
  public var features: UnsafePointer<Float> { UnsafePointer(memory.base + featureOffset) }

  /// Folds the weights and statistics again, after they have changed.
  public func refresh() { weights.refresh(from: network) }

  /// Applies the network to the first `batch` images of `input`.
  ///
  /// - Returns: the logits [batch, classes], valid until the next run.
  public func run(batch: Int) -> UnsafePointer<Float> {
    precondition((1...maxBatch).contains(batch), "the batch must fit into the planned one")
    let tensors = FoldedLane.Tensors(
      input: UnsafePointer(input), features: memory.base + featureOffset,
      logits: memory.base + logitOffset)
    let (group, lanes) = (group, lanes)
    if batch <= group || lanes.isEmpty {
      for first in stride(from: 0, to: batch, by: group) {
        shared.run(first: first, count: min(group, batch - first), tensors)
      }
    } else {
      pool.runOnWorkers((batch + group - 1) / group) { task, worker in
        let first = task * group
        lanes[worker].run(first: first, count: min(group, batch - first), tensors)
      }
    }
    return UnsafePointer(tensors.logits)
  }
}

extension Blueprint {
  /// Every convolution with its norm, in order.
  var allConvolutions: [ConvolutionUnit] { [stem] + blocks.flatMap(\.convolutions) + [head] }
}
