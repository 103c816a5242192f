public import Kernels

/// A network for inference: no dropout, nothing kept for a backward pass; in a network of
/// convolutions every batch norm is folded into the convolution before it, with the running
/// statistics.
///
/// An image's logits depend neither on the rest of its batch nor on the number of threads, bit for
/// bit. Memory is allocated once for the largest batch.
///
/// One thread at a time may use it. SAFETY: its pointers live as long as the object.
public final class FoldedNetwork {
  /// The network whose weights are applied.
  public let network: Network
  /// The most images of one run.
  public let maxBatch: Int
  /// The edge of the square input, in pixels.
  public let inputSize: Int
  /// The edge of the last feature map, before the pooling; a transformer's patches along an edge.
  public let featureSize: Int
  /// The memory held for folded weights and activations.
  public let workspaceBytes: Int

  private let memory: FloatMemory
  private let inputOffset: Int
  private let featureOffset: Int
  private let logitOffset: Int
  private let body: any InferenceBody

  /// Folds the network's present weights.
  ///
  /// - Throws: `ArchitectureError` when the batch or the size makes no sense or needs more memory
  ///   than the machine has.
  public init(_ network: Network, maxBatch: Int, inputSize: Int, pool: ThreadPool) throws {
    let blueprint = network.blueprint
    guard maxBatch > 0 else { throw ArchitectureError.batchSize(maxBatch) }
    try blueprint.checkExtent(batch: maxBatch, inputSize: inputSize)
    let planned: any InferencePlan
    switch blueprint.body {
    case .convolutional(let body):
      planned = FoldedConvolutionPlan(
        body, of: network, maxBatch: maxBatch, inputSize: inputSize, pool: pool)
    case .transformer(let body):
      planned = TransformerPlan(
        body, of: network, maxBatch: maxBatch, grid: try body.grid(inputSize: inputSize),
        pool: pool)
    }
    featureSize = planned.featureSize

    var plan = WorkspacePlan()
    inputOffset = plan.reserve(maxBatch * inputSize * inputSize * blueprint.inputChannels).offset
    featureOffset =
      plan.reserve(maxBatch * featureSize * featureSize * blueprint.mapChannels).offset
    logitOffset = plan.reserve(maxBatch * blueprint.classCount).offset
    workspaceBytes = (plan.extent + planned.floats) * MemoryLayout<Float>.stride
    try checkMemory(workspaceBytes, batch: maxBatch, inputSize: inputSize)

    memory = FloatMemory(count: plan.extent)
    body = planned.allocate()
    self.network = network
    self.maxBatch = maxBatch
    self.inputSize = inputSize
    refresh()
  }

  /// The normalised images [maxBatch, size, size, channels], filled by the caller.
  public var input: UnsafeMutablePointer<Float> { memory.base + inputOffset }

  /// The feature map of the last run: [batch, featureSize, featureSize, features], what timm calls
  /// `forward_features` (in NHWC, and without a transformer's class token).
  public var features: UnsafePointer<Float> { UnsafePointer(memory.base + featureOffset) }

  /// Folds the weights and statistics again, after they have changed.
  public func refresh() { body.refresh() }

  /// Applies the network to the first `batch` images of `input`.
  ///
  /// - Returns: the logits [batch, classes], valid until the next run.
  public func run(batch: Int) -> UnsafePointer<Float> {
    precondition((1...maxBatch).contains(batch), "the batch must fit into the planned one")
    let tensors = InferenceTensors(
      input: UnsafePointer(input), features: memory.base + featureOffset,
      logits: memory.base + logitOffset)
    body.run(batch: batch, tensors)
    return UnsafePointer(tensors.logits)
  }
}

/// Where a run reads its images and leaves its results, by the number of the first image.
struct InferenceTensors {
  let input: UnsafePointer<Float>
  let features: UnsafeMutablePointer<Float>
  let logits: UnsafeMutablePointer<Float>
}

/// A kind of network planned for inference, before anything is allocated.
protocol InferencePlan {
  var featureSize: Int { get }
  /// The floats that `allocate` takes.
  var floats: Int { get }
  func allocate() -> any InferenceBody
}

/// A kind of network ready for inference.
protocol InferenceBody: AnyObject {
  /// Takes over the network's present weights.
  func refresh()
  /// Computes features and logits of the first `batch` images.
  func run(batch: Int, _ tensors: InferenceTensors)
}
