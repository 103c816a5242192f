internal import Kernels

/// How a network of convolutions is applied: in small groups of images whose maps stay in cache, each
/// group by one thread; a single group is shared by all threads.
struct FoldedConvolutionPlan: InferencePlan {
  fileprivate let network: Network
  fileprivate let source: FoldedSource
  fileprivate let program: FoldedProgram
  fileprivate let laneCount: Int
  fileprivate let pool: ThreadPool

  let featureSize: Int
  let floats: Int

  init(
    _ body: ConvolutionalBody, of network: Network, maxBatch: Int, inputSize: Int,
    pool: ThreadPool
  ) {
    let blueprint = network.blueprint
    source = FoldedSource(
      body: body, classifier: blueprint.classifier, pooling: blueprint.variant.pooling,
      padding: blueprint.variant.padding)
    let group = min(maxBatch, Self.groupSize(inputSize: inputSize))
    program = FoldedProgram(source, batch: group, inputSize: inputSize, pool: pool)
    laneCount = maxBatch > group && pool.threads > 1 ? pool.threads : 0
    featureSize = program.head.output.size
    let weightCount = program.layers.reduce(0) { $0 + $1.weightCount }
    floats = weightCount + (laneCount + 1) * FoldedLane.extent(program)
    self.network = network
    self.pool = pool
  }

  /// As many images as have about two megabytes of pixels in the first maps: nearly what a core's
  /// cache holds, and enough that the last maps, 32 times smaller, use their weights several times.
  private static func groupSize(inputSize: Int) -> Int {
    let pixels = inputSize * inputSize
    return max(1, min(32, (65_536 + pixels / 2) / pixels))
  }

  func allocate() -> any InferenceBody { FoldedConvolutions(self) }
}

/// A network of convolutions with folded weights and the memory to apply it.
private final class FoldedConvolutions: InferenceBody {
  private let network: Network
  private let pool: ThreadPool
  private let weights: FoldedWeights
  /// The images of a group.
  private let group: Int
  /// All threads on one group.
  private let shared: FoldedLane
  /// A lane per thread; empty where there is never more than one group.
  private var lanes: [FoldedLane] = []

  init(_ plan: FoldedConvolutionPlan) {
    let (source, program) = (plan.source, plan.program)
    network = plan.network
    pool = plan.pool
    group = program.batch
    weights = FoldedWeights(source, program)
    shared = FoldedLane(
      source, network.parameters, program: program, weights: weights, pool: pool)
    for _ in 0..<plan.laneCount {
      let own = ThreadPool(threads: 1)
      let program = FoldedProgram(
        source, batch: group, inputSize: program.input.size, pool: own)
      lanes.append(
        FoldedLane(source, network.parameters, program: program, weights: weights, pool: own))
    }
  }

  func refresh() { weights.refresh(from: network) }

  func run(batch: Int, _ tensors: InferenceTensors) {
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
  }
}
