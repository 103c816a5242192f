import Kernels

/// Floats between two zones of NaN, for a kernel's inputs and outputs: what is read outside spoils
/// the result, what is written outside is found by `isIntact`.
final class GuardedFloats {
  static let zone = 80

  let count: Int
  private let memory: UnsafeMutableBufferPointer<Float>

  var base: UnsafeMutablePointer<Float> { memory.baseAddress.unsafelyUnwrapped + Self.zone }
  var reading: UnsafePointer<Float> { UnsafePointer(base) }
  var values: [Float] { Array(UnsafeBufferPointer(start: base, count: count)) }

  var bits: [UInt32] { values.map(\.bitPattern) }

  init(_ values: [Float]) {
    count = values.count
    memory = .allocate(capacity: values.count + 2 * Self.zone)
    memory.initialize(repeating: .nan)
    for (index, value) in values.enumerated() { base[index] = value }
  }

  deinit { memory.deallocate() }

  var isIntact: Bool {
    memory[..<Self.zone].allSatisfy(\.isNaN) && memory[(Self.zone + count)...].allSatisfy(\.isNaN)
  }
}

/// Keeps the memory of one kernel's run until it is over.
final class TestMemory {
  private var kept: [GuardedFloats] = []

  func floats(_ values: [Float]) -> GuardedFloats {
    let floats = GuardedFloats(values)
    kept.append(floats)
    return floats
  }

  /// Output: NaN until it is written.
  func unset(_ count: Int) -> GuardedFloats { floats(Array(repeating: .nan, count: count)) }
}

/// Uniform numbers in low ..< high, the same for the same seed.
func uniform(_ count: Int, seed: UInt64, _ low: Double = -1, _ high: Double = 1) -> [Float] {
  var random = CounterRandom(seed: seed, stream: .diagnostics)
  return (0..<count).map { _ in Float(random.uniform(low, high)) }
}
