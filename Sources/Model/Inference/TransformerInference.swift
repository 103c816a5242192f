internal import Kernels

/// How a transformer is applied: image by image, each by one thread; a single image is shared by all
/// threads.
struct TransformerPlan: InferencePlan {
  fileprivate let body: TransformerBody
  fileprivate let network: Network
  fileprivate let grid: Int
  fileprivate let laneCount: Int
  fileprivate let pool: ThreadPool

  let floats: Int
  var featureSize: Int { grid }

  init(
    _ body: TransformerBody, of network: Network, maxBatch: Int, grid: Int, pool: ThreadPool
  ) {
    self.body = body
    self.network = network
    self.grid = grid
    self.pool = pool
    laneCount = maxBatch > 1 && pool.threads > 1 ? pool.threads : 0
    let tokens = PatchUnit.tokens(grid: grid)
    floats =
      tokens * body.shape.channels
      + (laneCount + 1) * TransformerLane.extent(body, grid: grid)
  }

  func allocate() -> any InferenceBody { TransformerInference(self) }
}

/// A transformer and the memory to apply it. There is nothing to fold: the weights are read where the
/// network has them, and only the positions are brought to the grid of the images.
private final class TransformerInference: InferenceBody {
  private let plan: TransformerPlan
  private let positions: FloatMemory
  private let resize: MapResize?
  private let resizeScratch: FloatMemory
  /// All threads on one image.
  private let shared: TransformerLane
  /// A lane per thread; empty where there is never more than one image.
  private let lanes: [TransformerLane]

  init(_ plan: TransformerPlan) {
    self.plan = plan
    let (body, grid) = (plan.body, plan.grid)
    positions = FloatMemory(count: PatchUnit.tokens(grid: grid) * body.shape.channels)
    let learned = body.patches.grid
    resize = learned == grid ? nil : MapResize(inputGrid: learned, outputGrid: grid)
    resizeScratch = FloatMemory(
      count: resize?.scratchCount(channels: body.shape.channels) ?? 0)
    func lane(_ pool: ThreadPool) -> TransformerLane {
      TransformerLane(body, of: plan.network, grid: grid, pool: pool)
    }
    shared = lane(plan.pool)
    lanes = (0..<plan.laneCount).map { _ in lane(ThreadPool(threads: 1)) }
  }

  func refresh() {
    let (store, channels) = (plan.network.parameters, plan.body.shape.channels)
    let learned = store.weights + store.table[plan.body.patches.positions].offset
    guard let resize else {
      return positions.base.update(from: learned, count: positions.count)
    }
    positions.base.update(from: learned, count: channels)
    resize.forward(
      learned + channels, channels: channels, scratch: resizeScratch.base,
      output: positions.base + channels)
  }

  func run(batch: Int, _ tensors: InferenceTensors) {
    let (lanes, positions) = (lanes, positions.base)
    guard batch > 1, !lanes.isEmpty else {
      for image in 0..<batch { shared.run(image, tensors, positions: positions) }
      return
    }
    plan.pool.runOnWorkers(batch) { image, worker in
      lanes[worker].run(image, tensors, positions: positions)
    }
  }
}
