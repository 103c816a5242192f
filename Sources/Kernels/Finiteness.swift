/// Whether all of `count` numbers are finite: one pass over the memory, in parallel.
public func isFinite(_ values: UnsafePointer<Float>, count: Int, pool: ThreadPool) -> Bool {
  let tile = 1 << 16
  return pool.runAll((count + tile - 1) / tile) { task in
    let start = task * tile
    return isFinite(values + start, count: min(count - start, tile))
  }
}

/// The same by one thread.
func isFinite(_ values: UnsafePointer<Float>, count: Int) -> Bool {
  // A finite number times zero is zero; everything else becomes NaN and stays so.
  var sum = Vector.zero
  var index = 0
  while index &+ 16 <= count {
    sum += Vector.load(values + index) * 0
    index &+= 16
  }
  var rest: Float = 0
  while index < count {
    rest += values[index] * 0
    index &+= 1
  }
  return !(sum.sum() + rest).isNaN
}
