import Kernels
import Synchronization

/// Whether all of `count` numbers are finite: one pass over the memory, in parallel.
func isFinite(_ values: UnsafePointer<Float>, count: Int, pool: ThreadPool) -> Bool {
  let tile = 1 << 16
  let hasFailed = Atomic<Bool>(false)
  pool.run((count + tile - 1) / tile) { task in
    let start = task * tile
    let end = min(count, start + tile)
    // A finite number times zero is zero; everything else becomes NaN and stays so.
    var sum = SIMD16<Float>(repeating: 0)
    var index = start
    while index + 16 <= end {
      sum += UnsafeRawPointer(values + index).loadUnaligned(as: SIMD16<Float>.self) * 0
      index += 16
    }
    var rest: Float = 0
    while index < end {
      rest += values[index] * 0
      index += 1
    }
    if (sum.sum() + rest).isNaN { hasFailed.store(true, ordering: .relaxed) }
  }
  return !hasFailed.load(ordering: .relaxed)
}
