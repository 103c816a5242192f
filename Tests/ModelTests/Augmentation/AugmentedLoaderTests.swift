import Testing

@testable import Model

@Suite struct AugmentedLoaderTests {
  /// One delivered batch.
  private struct Batch: Equatable {
    var input: [Float]
    var labels, partners: [Int32]
    var shares: [Float]
  }

  private static let size = 8

  private func everything(splits: Int = 1) throws -> (TrainTransform, BatchAugmentation) {
    var transform = TrainTransform(size: Self.size, normalization: .imageNet)
    transform.policy = try AugmentPolicy("rand-m9-n3-mstd0.5-inc1-p1")
    var augmentation = BatchAugmentation()
    augmentation.splits = splits
    augmentation.erasing.probability = 0.5
    augmentation.erasing.mode = .pixel
    augmentation.erasing.hole = 2
    if splits == 1 {
      augmentation.mixing.mixupAlpha = 0.8
      augmentation.mixing.cutmixAlpha = 1
      augmentation.mixing.mode = .elem
    }
    return (transform, augmentation)
  }

  private func batches(
    _ dataset: any Dataset, _ transform: any ImageTransform, _ augmentation: BatchAugmentation,
    start: Int = 0, workers: Int = 1
  ) throws -> [Batch] {
    let loader = BatchLoader(
      dataset: dataset, transform: transform, augmentation: augmentation, batchSize: 6, seed: 11,
      epoch: 2, startBatch: start, shuffle: true, dropLast: true, workers: workers)
    let rows = 6 * augmentation.splits
    let values = 3 * Self.size * Self.size
    var input = [Float](repeating: 0, count: rows * values)
    let targets = BatchTargets(capacity: rows)
    var result: [Batch] = []
    while try loader.next(into: &input, targets: targets) > 0 {
      func array<Element>(_ base: UnsafeMutablePointer<Element>) -> [Element] {
        Array(UnsafeBufferPointer(start: base, count: rows))
      }
      result.append(
        Batch(
          input: input, labels: array(targets.labels), partners: array(targets.partners),
          shares: array(targets.shares)))
    }
    return result
  }

  @Test(arguments: [1, 3])
  func workersAndStartChangeNothing(splits: Int) throws {
    let dataset = NoiseDataset(count: 50)
    let (transform, augmentation) = try everything(splits: splits)
    let whole = try batches(dataset, transform, augmentation)
    #expect(whole.count == 8)
    for workers in [2, 5] {
      #expect(try batches(dataset, transform, augmentation, workers: workers) == whole)
    }
    for start in [1, 4, 7] {
      let rest = try batches(dataset, transform, augmentation, start: start, workers: 2)
      #expect(rest == Array(whole.dropFirst(start)))
    }
  }

  @Test func withoutMixingEveryImageIsItself() throws {
    var transform = TrainTransform(size: Self.size, normalization: .imageNet)
    transform.colorJitter = 0
    for batch in try batches(NoiseDataset(count: 30), transform, BatchAugmentation()) {
      #expect(batch.shares.allSatisfy { $0 == 1 })
      #expect(batch.partners == batch.labels)
    }
  }

  @Test func partnersCountFromTheEndOfTheBatch() throws {
    let (transform, augmentation) = try everything()
    for batch in try batches(NoiseDataset(count: 30), transform, augmentation) {
      #expect(batch.partners == batch.labels.reversed())
      #expect(Set(batch.shares).count > 1)
    }
  }

  @Test func theFirstVersionIsClean() throws {
    let dataset = NoiseDataset(count: 30)
    var (transform, augmentation) = try everything(splits: 3)
    augmentation.erasing = Erasing()
    let all = try batches(dataset, transform, augmentation)
    transform.policy = nil
    transform.colorJitter = 0
    let clean = try batches(dataset, transform, BatchAugmentation())
    let values = 6 * 3 * Self.size * Self.size
    for (versions, plain) in zip(all, clean) {
      #expect(Array(versions.input.prefix(values)) == plain.input)
      let second = Array(versions.input[values..<(2 * values)])
      let third = Array(versions.input[(2 * values)...])
      #expect(second != plain.input && third != plain.input && second != third)
      #expect(versions.labels == plain.labels + plain.labels + plain.labels)
    }
  }

  @Test func aTransformWithoutAugmentationRepeatsThePicture() throws {
    var augmentation = BatchAugmentation()
    augmentation.splits = 2
    let transform = EvalTransform(
      size: Self.size, cropFraction: 1, interpolation: .bilinear, normalization: .half)
    for batch in try batches(NoiseDataset(count: 12), transform, augmentation) {
      let half = batch.input.count / 2
      #expect(Array(batch.input.prefix(half)) == Array(batch.input.suffix(half)))
    }
  }

  @Test(arguments: [
    ["mixup": 0.8, "cutmix": 1.0, "reprob": 0.5], ["aug-splits": 2, "reprob": 0.5],
  ])
  func aTrainingGoesOnInTheMiddleOfAnEpoch(numbers: [String: Double]) throws {
    var tiny = TinyTraining()
    tiny.settings.merge([
      "aa": .word("rand-m9-n2-mstd0.5-inc1"), "mixup-mode": .word("elem"),
      "remode": .word("pixel"),
    ]) { $1 }
    for (name, number) in numbers { tiny.settings[name] = .number(number) }
    let whole = Listener()
    let folder = try TemporaryFolder()
    let through = try tiny.trainer(in: folder)
    _ = try whole.run(through)

    let parts = Listener()
    let other = try TemporaryFolder()
    tiny.settings["workers"] = .integer(2)
    _ = try parts.run(try tiny.trainer(in: other, stopAt: 6))
    let resumed = try tiny.trainer(in: other, resuming: other.checkpoints.load(.last))
    _ = try parts.run(resumed)
    #expect(parts.losses == whole.losses)
    #expect(parts.rows.last == whole.rows.last)
  }
}
