internal import Kernels

/// The values of a network's tensors, in flat buffers laid out by its table.
///
/// SAFETY: the buffers live as long as the store and never move; whoever shares a store between
/// threads orders the accesses.
public final class ParameterStore: @unchecked Sendable {
  /// Where each tensor lies.
  public let table: ParameterTable
  private let weightMemory: FloatMemory
  private let statisticMemory: FloatMemory
  private var gradientMemory: FloatMemory?
  private let counterMemory: UnsafeMutableBufferPointer<Int64>

  /// Allocates zeros for every tensor of the table.
  init(_ table: ParameterTable) {
    self.table = table
    weightMemory = FloatMemory(count: table.weightExtent)
    statisticMemory = FloatMemory(count: table.bufferExtent)
    counterMemory = .allocate(capacity: max(1, table.counterCount))
    counterMemory.initialize(repeating: 0)
  }

  deinit { counterMemory.deallocate() }

  /// The trained tensors: `table.weightExtent` elements.
  public var weights: UnsafeMutablePointer<Float> { weightMemory.base }
  /// The gradients, at the weights' offsets; allocated when first asked for.
  public var gradients: UnsafeMutablePointer<Float> {
    if let gradientMemory { return gradientMemory.base }
    let memory = FloatMemory(count: table.weightExtent)
    gradientMemory = memory
    return memory.base
  }
  /// The running means and variances: `table.bufferExtent` elements.
  public var buffers: UnsafeMutablePointer<Float> { statisticMemory.base }
  /// How many batches each norm's statistics have seen: `table.counterCount` integers.
  public var counters: UnsafeMutablePointer<Int64> {
    // SAFETY: the allocation is never empty.
    counterMemory.baseAddress.unsafelyUnwrapped
  }

  /// A tensor's values in the engine's layout; for a counter its one number.
  public func values(_ info: ParameterInfo) -> [Float] {
    switch info.storage {
    case .weights: Array(UnsafeBufferPointer(start: weights + info.offset, count: info.count))
    case .buffers: Array(UnsafeBufferPointer(start: buffers + info.offset, count: info.count))
    case .counters: [Float(counters[info.offset])]
    }
  }

  /// A tensor's gradient in the engine's layout.
  public func gradient(_ info: ParameterInfo) -> [Float] {
    precondition(info.storage == .weights, "only weights have gradients")
    return Array(UnsafeBufferPointer(start: gradients + info.offset, count: info.count))
  }

  /// Gives every tensor the values that a new network starts with; a pure function of the seed and
  /// the tensor's name.
  func initialize(seed: UInt64) {
    for info in table.entries { initialize(info, seed: seed) }
  }

  /// Gives one tensor its initial values.
  func initialize(_ info: ParameterInfo, seed: UInt64) {
    var random = CounterRandom(
      seed: seed, stream: .initialization, counters: stableHash(info.path))
    let target: UnsafeMutablePointer<Float>
    switch info.storage {
    case .weights: target = weights + info.offset
    case .buffers: target = buffers + info.offset
    case .counters:
      counters[info.offset] = 0
      return
    }
    switch info.initializer {
    case .constant(let value):
      target.update(repeating: value, count: info.count)
    case .uniform(let bound):
      for index in 0..<info.count { target[index] = Float(random.uniform(-bound, bound)) }
    case .normal(let deviation):
      fillNormal(target, info.count, deviation: deviation, &random)
    }
  }

  /// Copies the tensors that both stores have with the same name and shape.
  func copyMatching(from other: ParameterStore) {
    for info in table.entries {
      guard let source = other.table[info.path], source.shape == info.shape else { continue }
      switch info.storage {
      case .weights:
        (weights + info.offset).update(from: other.weights + source.offset, count: info.count)
      case .buffers:
        (buffers + info.offset).update(from: other.buffers + source.offset, count: info.count)
      case .counters:
        counters[info.offset] = other.counters[source.offset]
      }
    }
  }
}

/// A float buffer that a class can hold and replace.
final class FloatMemory: Sendable {
  private let buffer: FloatBuffer

  init(count: Int) { buffer = FloatBuffer(count: count) }

  var base: UnsafeMutablePointer<Float> { buffer.base }
  var count: Int { buffer.count }
}

/// FNV-1a over the UTF-8 bytes: a hash that is the same in every run.
func stableHash(_ text: String) -> UInt64 {
  text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
