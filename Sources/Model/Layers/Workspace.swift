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

/// A tensor's place in the workspace.
struct TensorSlot {
  let offset: Int
  let count: Int
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
}

/// The memory that one step works on.
///
/// SAFETY: the pointers belong to the graph and to its network's store, and live as long as the
/// graph; slots come from the plan that the workspace was allocated by.
struct LayerContext {
  let workspace: UnsafeMutablePointer<Float>
  let weights: UnsafeMutablePointer<Float>
  let gradients: UnsafeMutablePointer<Float>
  let statistics: UnsafeMutablePointer<Float>
  let counters: UnsafeMutablePointer<Int64>
  let expandedGradientSlot: TensorSlot
  let filteredGradientSlot: TensorSlot
  let scratch: NormScratch
  let pool: ThreadPool

  /// Where a block's gradients live before and behind its depthwise convolution; the blocks take
  /// turns.
  var expandedGradient: UnsafeMutablePointer<Float> { self[expandedGradientSlot] }
  var filteredGradient: UnsafeMutablePointer<Float> { self[filteredGradientSlot] }

  subscript(slot: TensorSlot) -> UnsafeMutablePointer<Float> { workspace + slot.offset }
}

/// What every layer needs to plan itself.
struct LayerPlanner {
  let table: ParameterTable
  let padding: Padding
  let epsilon: Float
  let momentum: Float
  let pool: ThreadPool
  var workspace = WorkspacePlan()
  /// The most floats that a layer so far needs for sums.
  private(set) var scratchFloats = 0
  /// The largest gradients so far that live only within a block.
  private(set) var expandedGradient = 0
  private(set) var filteredGradient = 0
  /// The fewest values that a norm averages over.
  var fewestRows = Int.max

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
}
