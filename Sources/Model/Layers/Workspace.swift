internal import Kernels

/// A square map of feature vectors for each image of a batch, NHWC.
struct FeatureMap: Equatable {
  let batch: Int
  /// The edge in pixels.
  let size: Int
  let channels: Int

  /// The pixels of one image.
  var spatial: Int { size * size }
  /// The feature vectors of the batch.
  var rows: Int { batch * spatial }
  var count: Int { rows * channels }
}

/// A tensor's place in the workspace: of its own, or one that the blocks take turns in.
struct TensorSlot {
  let offset: Int
  let count: Int
  var isShared = false
}

/// Collects what the layers must keep from forward to backward, before anything is allocated.
struct WorkspacePlan {
  /// The floats of all slots together.
  private(set) var extent = 0

  /// A place for `count` floats, on a cache line of its own.
  mutating func reserve(_ count: Int) -> TensorSlot {
    let slot = TensorSlot(offset: extent, count: count)
    extent += roundUp(count, to: 16)
    return slot
  }

  /// A place for a feature map.
  mutating func reserve(_ map: FeatureMap) -> TensorSlot { reserve(map.count) }

  /// Starts at the beginning again.
  mutating func rewind() { extent = 0 }
}

/// The memory that one step works on.
///
/// SAFETY: the pointers belong to the graph and to its network's store, and live as long as the
/// graph; slots come from the plan that the workspace was allocated by.
struct LayerContext {
  let workspace: UnsafeMutablePointer<Float>
  /// What the blocks take turns in.
  let shared: UnsafeMutablePointer<Float>
  let weights: UnsafeMutablePointer<Float>
  let gradients: UnsafeMutablePointer<Float>
  let statistics: UnsafeMutablePointer<Float>
  let counters: UnsafeMutablePointer<Int64>
  let expandedGradientSlot: TensorSlot
  let filteredGradientSlot: TensorSlot
  let skipGradientSlot: TensorSlot
  let scratch: NormScratch
  let pool: ThreadPool
  /// Whether a block is computed once more for its backward pass: nothing but its maps may change.
  var isRecomputing = false
  /// The batch's share in the running statistics; nil for the momentum that the norms have.
  var normShare: Float?
  /// Which random numbers the step draws.
  var key = StepKey()
  /// Where times are written, while somebody wants to know them.
  var profile: StepProfile?

  /// Runs an operation; measures it where times are wanted.
  @inline(__always)
  func measure<Result>(_ operation: StepProfile.Operation, _ body: () -> Result) -> Result {
    if let profile { profile.measure(operation, body) } else { body() }
  }

  /// Where a block's gradients live before and behind its depthwise convolution; the blocks take
  /// turns.
  var expandedGradient: UnsafeMutablePointer<Float> { self[expandedGradientSlot] }
  var filteredGradient: UnsafeMutablePointer<Float> { self[filteredGradientSlot] }
  /// Where the part of a gradient waits that passes by a block's scaled branch.
  var skipGradient: UnsafeMutablePointer<Float> { self[skipGradientSlot] }

  subscript(slot: TensorSlot) -> UnsafeMutablePointer<Float> {
    (slot.isShared ? shared : workspace) + slot.offset
  }
}

/// What every layer needs to plan itself.
struct LayerPlanner {
  let table: ParameterTable
  let padding: Padding
  let epsilon: Float
  let momentum: Float
  let pooling: GlobalPooling
  let pool: ThreadPool
  /// Whether the maps within a block are dropped after its forward pass and computed again for its
  /// backward pass (Chen et al., arXiv:1604.06174).
  let isCheckpointing: Bool
  /// The share of the images for which the last block's branch is dropped.
  let dropPathRate: Double
  /// What does not train.
  let freezing: Freezing
  /// The floats of a map that counts as cached.
  let cachedCount: Int
  var workspace = WorkspacePlan()
  /// What the blocks take turns in, as far as the present block needs it.
  private var shared = WorkspacePlan()
  private(set) var sharedExtent = 0
  private var isInBlock = false
  /// The most floats that a layer so far needs for sums.
  private(set) var scratchFloats = 0
  /// The largest gradients so far that live only within a block.
  private(set) var expandedGradient = 0
  private(set) var filteredGradient = 0
  private(set) var skipGradient = 0
  /// The fewest values that a norm averages over.
  var fewestRows = Int.max
  /// The elements of the flat gradient buffer that the backward pass writes, where it adds to others.
  private(set) var writtenGradients: [Range<Int>] = []

  init(
    _ blueprint: Blueprint, isCheckpointing: Bool, dropPathRate: Double, normMomentum: Double?,
    freezing: Freezing, cachedCount: Int, pool: ThreadPool
  ) {
    table = blueprint.parameters
    padding = blueprint.variant.padding
    epsilon = blueprint.variant.normEpsilon
    momentum = normMomentum.map(Float.init) ?? blueprint.variant.normMomentum
    pooling = blueprint.variant.pooling
    self.isCheckpointing = isCheckpointing
    self.dropPathRate = dropPathRate
    self.freezing = freezing
    self.cachedCount = cachedCount
    self.pool = pool
  }

  /// Notes that the backward pass writes the gradient of a tensor, if it trains.
  mutating func writesGradient(of tensor: ParameterReference) {
    let entry = table[tensor]
    if freezing.trains(tensor) {
      writtenGradients.append(entry.offset..<entry.offset + entry.count)
    }
  }

  /// Plans a block: its inner maps may lie where those of other blocks do.
  mutating func planBlock<Planned>(_ plan: (inout LayerPlanner) -> Planned) -> Planned {
    isInBlock = true
    shared.rewind()
    defer { isInBlock = false }
    return plan(&self)
  }

  /// A place for a map that lives from a layer's forward to its backward pass.
  mutating func reserveInner(_ map: FeatureMap) -> TensorSlot { reserveInner(map.count) }

  /// The same for a number of floats.
  mutating func reserveInner(_ count: Int) -> TensorSlot {
    guard isInBlock, isCheckpointing else { return workspace.reserve(count) }
    var slot = shared.reserve(count)
    slot.isShared = true
    sharedExtent = max(sharedExtent, shared.extent)
    return slot
  }

  /// Sees to it that the scratch holds each of these numbers of floats.
  mutating func reserveScratch(_ floats: Int...) {
    scratchFloats = max(scratchFloats, floats.max() ?? 0)
  }

  /// Sees to it that the gradient of an expanded map has room.
  mutating func reserveGradient(_ map: FeatureMap) {
    expandedGradient = max(expandedGradient, map.count)
  }

  /// Sees to it that the gradient of a map behind a depthwise convolution has room.
  mutating func reserveFilteredGradient(_ map: FeatureMap) {
    filteredGradient = max(filteredGradient, map.count)
  }

  /// Sees to it that the part of a gradient that passes by a block has room.
  mutating func reserveSkipGradient(_ count: Int) { skipGradient = max(skipGradient, count) }
}
