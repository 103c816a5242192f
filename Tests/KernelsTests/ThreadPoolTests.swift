import Synchronization
import Testing

@testable import Kernels

@Suite struct ThreadPoolTests {
  @Test(arguments: [1, 2, 3, 4])
  func runsEveryTaskOnce(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    for count in [0, 1, 2, 3, 7, 64, 1_000] {
      for _ in 0..<50 {
        var counts = [Int](repeating: 0, count: count)
        counts.withUnsafeMutableBufferPointer { counts in
          let base = counts.baseAddress
          pool.run(count) { base?[$0] += 1 }
        }
        #expect(counts.allSatisfy { $0 == 1 })
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func runsEveryTaskOfTwoKindsOnce(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    for (first, second) in [(0, 0), (0, 5), (5, 0), (1, 1), (3, 64), (64, 3), (1, 500)] {
      for _ in 0..<50 {
        var counts = [Int](repeating: 0, count: first + second)
        counts.withUnsafeMutableBufferPointer { counts in
          let base = counts.baseAddress
          pool.runOnWorkers(first, then: second) { task, worker in
            base?[task] += (0..<threads).contains(worker) ? 1 : 100
          }
        }
        #expect(counts.allSatisfy { $0 == 1 })
      }
    }
  }

  @Test(arguments: [1, 2, 3, 4])
  func eachThreadPreparesItselfOnce(_ threads: Int) {
    let pool = ThreadPool(threads: threads)
    for count in [0, 1, 3, 64] {
      for _ in 0..<50 {
        var prepared = [Int](repeating: 0, count: threads)
        var tasks = [Int](repeating: 0, count: threads)
        prepared.withUnsafeMutableBufferPointer { prepared in
          let base = prepared.baseAddress
          tasks.withUnsafeMutableBufferPointer { tasks in
            let counts = tasks.baseAddress
            pool.runOnWorkers(count) { worker in
              base?[worker] += 1
            } then: { _, worker in
              counts?[worker] += base?[worker] == 1 ? 1 : 100
            }
          }
        }
        #expect(tasks.reduce(0, +) == count)
        #expect(prepared == tasks.map { min(1, $0) })
      }
    }
  }

  @Test func aRunInsideATaskIsExecutedThere() {
    let pool = ThreadPool(threads: 3)
    let total = Atomic<Int>(0)
    pool.run(8) { _ in
      pool.run(5) { inner in total.add(inner, ordering: .relaxed) }
    }
    #expect(total.load(ordering: .relaxed) == 80)
  }

  @Test func severalThreadsMayShareAPool() async {
    let pool = ThreadPool(threads: 2)
    await withTaskGroup(of: Int.self) { group in
      for _ in 0..<4 {
        group.addTask {
          let total = Atomic<Int>(0)
          for _ in 0..<200 { pool.run(10) { total.add($0, ordering: .relaxed) } }
          return total.load(ordering: .relaxed)
        }
      }
      for await total in group { #expect(total == 9_000) }
    }
  }

  @Test func sleepingWorkersWakeUp() async throws {
    let pool = ThreadPool(threads: 2)
    for _ in 0..<5 {
      try await Task.sleep(for: .milliseconds(5))
      let total = Atomic<Int>(0)
      pool.run(100) { total.add($0, ordering: .relaxed) }
      #expect(total.load(ordering: .relaxed) == 4_950)
    }
  }

  @Test func buffersAreZeroedAndAligned() {
    for count in [0, 1, 1_000, 1 << 20] {
      let buffer = FloatBuffer(count: count)
      #expect(UInt(bitPattern: buffer.base) % 64 == 0)
      #expect(buffer.count == count)
      #expect((0..<count).allSatisfy { buffer.base[$0] == 0 })
    }
  }
}
