import Foundation
import Testing

@testable import Model

@Suite struct DataLoaderTests {
  /// One delivered batch.
  private struct Batch: Equatable {
    var input: [Float]
    var labels: [Int32]
  }

  private let transform = TrainTransform(size: 6, normalization: .imageNet)

  private func loader(
    _ dataset: any Dataset, batchSize: Int = 8, epoch: Int = 0, start: Int = 0,
    shuffle: Bool = true, dropLast: Bool = false, workers: Int = 1
  ) -> BatchLoader {
    BatchLoader(
      dataset: dataset, transform: transform, batchSize: batchSize, seed: 11, epoch: epoch,
      startBatch: start, shuffle: shuffle, dropLast: dropLast, workers: workers)
  }

  private func batches(_ loader: BatchLoader, batchSize: Int = 8) throws -> [Batch] {
    var result: [Batch] = []
    var input = [Float](repeating: 0, count: batchSize * 6 * 6 * 3)
    var labels = [Int32](repeating: 0, count: batchSize)
    while case let count = try loader.next(into: &input, labels: &labels), count > 0 {
      result.append(
        Batch(input: Array(input.prefix(count * 108)), labels: Array(labels.prefix(count))))
    }
    return result
  }

  @Test func theNumberOfWorkersChangesNothing() throws {
    let dataset = NoiseDataset(count: 203)
    let one = try batches(loader(dataset))
    #expect(one.count == 26 && one.last?.labels.count == 3)
    for workers in [2, 3, 7] {
      #expect(try batches(loader(dataset, workers: workers)) == one)
    }
  }

  @Test func startingInTheMiddleDeliversTheSame() throws {
    let dataset = NoiseDataset(count: 100)
    let whole = try batches(loader(dataset, epoch: 3))
    for start in [0, 1, 5, 12, 13, 20] {
      let rest = loader(dataset, epoch: 3, start: start, workers: 2)
      #expect(rest.batchCount == 13)
      #expect(try batches(rest) == Array(whole.dropFirst(start)))
    }
  }

  @Test func epochsDifferAndEveryPictureComesOnce() throws {
    let dataset = NoiseDataset(count: 90)
    let first = BatchLoader.order(count: 90, seed: 11, epoch: 0)
    let second = BatchLoader.order(count: 90, seed: 11, epoch: 1)
    #expect(first != second)
    #expect(first.sorted() == (0..<90).map { Int32($0) })
    #expect(second.sorted() == first.sorted())
    let labels = try batches(loader(dataset)).flatMap(\.labels)
    #expect(labels == first.map { $0 % 3 })
  }

  @Test func withoutShuffleTheOrderIsThatOfTheDataSet() throws {
    let dataset = NoiseDataset(count: 21)
    let all = try batches(loader(dataset, shuffle: false, workers: 2))
    #expect(all.flatMap(\.labels) == (0..<21).map { Int32($0 % 3) })
    for index in 0..<21 {
      let key = SampleKey(seed: 11, epoch: 0, index: index)
      let expected = transform.input(try dataset.image(index), key: key)
      let row = index % 8
      #expect(Array(all[index / 8].input[(row * 108)..<((row + 1) * 108)]) == expected)
    }
  }

  @Test func theLastBatchCanBeDropped() throws {
    let kept = loader(NoiseDataset(count: 20), dropLast: true)
    #expect(kept.batchCount == 2)
    #expect(try batches(kept).map(\.labels.count) == [8, 8])
    let none = loader(NoiseDataset(count: 7), dropLast: true)
    #expect(none.batchCount == 0)
    #expect(try batches(none).isEmpty)
    #expect(try batches(loader(NoiseDataset(count: 0))).isEmpty)
  }

  @Test func anErrorComesWithItsBatch() throws {
    for workers in [1, 2, 5] {
      let dataset = NoiseDataset(count: 64, broken: [29, 27, 40])
      let loader = loader(dataset, shuffle: false, workers: workers)
      var input = [Float](repeating: 0, count: 8 * 108)
      var labels = [Int32](repeating: 0, count: 8)
      for _ in 0..<3 { #expect(try loader.next(into: &input, labels: &labels) == 8) }
      for _ in 0..<2 {
        #expect(throws: DataError.unreadable(file: "picture 27", reason: "broken")) {
          try loader.next(into: &input, labels: &labels)
        }
      }
      loader.close()
      #expect(try loader.next(into: &input, labels: &labels) == 0)
    }
  }

  @Test func anAbandonedLoaderStops() throws {
    for taken in [0, 1, 4] {
      for workers in [1, 3] {
        let dataset = NoiseDataset(count: 500)
        weak var watched: NoiseDataset?
        do {
          let dataset = NoiseDataset(count: 500)
          watched = dataset
          let loader = loader(dataset, workers: workers)
          var input = [Float](repeating: 0, count: 8 * 108)
          var labels = [Int32](repeating: 0, count: 8)
          for _ in 0..<taken { _ = try loader.next(into: &input, labels: &labels) }
        }
        // Nothing holds the data set any more: the threads have ended.
        #expect(watched == nil)
        let closed = loader(dataset, workers: workers)
        closed.close()
        closed.close()
      }
    }
  }
}
