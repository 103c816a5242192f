import Foundation
import Testing

@testable import Model

/// Classes of very different sizes, no pictures.
private final class UnequalDataset: Dataset {
  let name = "unequal"
  let classNames = ["a", "none", "b", "c"]
  let labels: [Int]
  var count: Int { labels.count }

  init(_ sizes: [Int]) {
    labels = zip([0, 2, 3], sizes).flatMap { label, size in [Int](repeating: label, count: size) }
  }

  func label(_ index: Int) -> Int { labels[index] }
  func image(_ index: Int) throws -> ImageRGB { ImageRGB(width: 1, height: 1, pixels: [1, 2, 3]) }
}

@Suite struct SamplerTests {
  @Test func classesAreEquallyFrequent() {
    let data = UnequalDataset([90, 9, 2])
    var seen: Set<Int32> = []
    for epoch in 0..<8 {
      let order = Sampler.balanced.order(data, seed: 5, epoch: epoch)
      #expect(order.count == 101)
      let counts = [0, 2, 3].map { label in order.count { data.label(Int($0)) == label } }
      #expect(counts.allSatisfy { (33...34).contains($0) }, "\(counts)")
      var times: [Int32: Int] = [:]
      for index in order { times[index, default: 0] += 1 }
      // A class is gone through as evenly as possible.
      for index in 0..<90 { #expect(times[Int32(index), default: 0] <= 1) }
      for index in 90..<99 { #expect((3...4).contains(times[Int32(index), default: 0])) }
      for index in 99..<101 { #expect((16...17).contains(times[Int32(index), default: 0])) }
      seen.formUnion(order)
      #expect(order == Sampler.balanced.order(data, seed: 5, epoch: epoch))
      #expect(order != Sampler.balanced.order(data, seed: 6, epoch: epoch))
      #expect(order != Sampler.balanced.order(data, seed: 5, epoch: epoch + 1))
    }
    // Large classes come whole in the course of some epochs.
    #expect(seen.count > 90)
  }

  @Test func shufflingIsWhatItWas() {
    let data = UnequalDataset([4, 3, 3])
    #expect(
      Sampler.shuffle.order(data, seed: 11, epoch: 2)
        == BatchLoader.order(count: 10, seed: 11, epoch: 2))
  }

  @Test func workersDoNotChangeTheOrder() throws {
    let data = UnequalDataset([50, 6, 1])
    func labels(_ workers: Int, start: Int = 0) throws -> [Int32] {
      let loader = BatchLoader(
        dataset: data, transform: TrainTransform(size: 2, normalization: .imageNet), batchSize: 8,
        seed: 3, epoch: 1, startBatch: start, shuffle: true, sampler: .balanced, dropLast: true,
        workers: workers)
      var input = [Float](repeating: 0, count: 8 * 12)
      var labels = [Int32](repeating: 0, count: 8)
      var all: [Int32] = []
      while try loader.next(into: &input, labels: &labels) > 0 { all += labels }
      return all
    }
    let one = try labels(1)
    #expect(one.count == 56)
    #expect(try labels(3) == one)
    #expect(try labels(2, start: 4) == Array(one[32...]))
  }

  @Test func aTrainingWithItGoesOnAsIfNeverStopped() throws {
    var tiny = TinyTraining()
    tiny.settings["sampler"] = .word("balanced")
    let folders = try (0..<3).map { _ in try TemporaryFolder() }
    let whole = Listener()
    _ = try whole.run(tiny.trainer(in: folders[0]))
    _ = try Listener().run(tiny.trainer(in: folders[1], stopAt: 3))
    let rest = Listener()
    _ = try rest.run(
      tiny.trainer(in: folders[1], resuming: folders[1].checkpoints.load(.last)))
    #expect(rest.rows == whole.rows)
    let plain = Listener()
    _ = try plain.run(TinyTraining().trainer(in: folders[2]))
    #expect(plain.rows != whole.rows)
  }
}
