public import Kernels

/// Measures the machine's peaks: the fastest of a few short looks.
public struct PeakMeter: ~Copyable {
  private let pool: ThreadPool
  private let sink: FloatMemory
  private let memory: FloatMemory
  private static let copied = 1 << 23

  /// Allocates what the looks need.
  public init(pool: ThreadPool) {
    self.pool = pool
    sink = FloatMemory(count: MachinePeak.sinkCount(pool))
    memory = FloatMemory(count: 2 * Self.copied)
  }

  /// Multiply-adds in registers on all threads, in GFLOP/s (two operations each); takes a few
  /// milliseconds.
  public func gigaflops() -> Double {
    fastest {
      Double(MachinePeak.multiplyAdd(rounds: 20_000, sink: sink.base, pool: pool))
    }
  }

  /// Copying between large buffers on all threads, in GB/s read and written together.
  public func gigabytes() -> Double {
    fastest {
      MachinePeak.copy(
        memory.base, to: memory.base + Self.copied, count: Self.copied, pool: pool)
      return Double(2 * Self.copied * MemoryLayout<Float>.stride)
    }
  }

  /// The highest of three rates, in 1e9 per second.
  private func fastest(_ work: () -> Double) -> Double {
    (0..<3).map { _ in
      let start = ContinuousClock.now
      let amount = work()
      return amount / start.duration(to: .now).seconds / 1e9
    }.max() ?? 0
  }
}
