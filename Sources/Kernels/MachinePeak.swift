/// What the machine can do at this moment: the yardstick beside every measurement, since a shared
/// machine's speed wanders.
public enum MachinePeak {
  /// Multiply-adds of numbers in registers, in operations (two per multiply-add).
  ///
  /// - Returns: the operations that all threads of the pool did.
  public static func multiplyAdd(rounds: Int, sink: UnsafeMutablePointer<Float>, pool: ThreadPool)
    -> Int
  {
    let tasks = 8 * pool.threads
    pool.run(tasks) { task in
      // Sums that do not depend on each other hide the latency of the unit; all stay in registers.
      var sums = InlineArray<12, Vector>(repeating: Vector(repeating: Float(task)))
      let a = Vector(repeating: sink[task])
      let b = Vector(repeating: 0.999)
      for _ in 0..<rounds {
        for index in 0..<12 { sums[index] = b.addingProduct(sums[index], a) }
      }
      var total = Vector.zero
      for index in 0..<12 { total += sums[index] }
      sink[task] = total.sum() * 1e-30
    }
    return tasks * rounds * 12 * Vector.width * 2
  }

  /// The floats that `multiplyAdd` needs for its results on a pool.
  public static func sinkCount(_ pool: ThreadPool) -> Int { 8 * pool.threads }

  /// Copies `count` floats with all threads.
  public static func copy(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, count: Int,
    pool: ThreadPool
  ) {
    flat(count, pool, Copying(source: source, target: target))
  }
}

private struct Copying: ChannelGroup {
  let source: UnsafePointer<Float>
  let target: UnsafeMutablePointer<Float>

  @inline(__always)
  func run<L: Lanes>(_: L.Type, at i: Int) { L.load(source + i).store(target + i) }
}
