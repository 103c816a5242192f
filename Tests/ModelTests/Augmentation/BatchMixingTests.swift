import Kernels
import Testing

@testable import Model

@Suite struct BatchMixingTests {
  /// What timm made of batches of noise.
  private struct Fixture: Decodable {
    struct Case: Decodable {
      let mode: String
      let mixup, cutmix: Double
      let minmax: [Double]?
      let prob, switchProb: Double
      let epoch, batch: UInt64
      let count, size: Int
      let crc: UInt32
      let targets: [Float]
    }
    let cases: [Case]
    let erased: [FixtureRow]

    static func load() throws -> Fixture { try DataFixtures.json("mixing.json", as: Fixture.self) }
  }

  @Test func batchesAndTargetsEqualTimm() throws {
    for test in try Fixture.load().cases {
      var mixing = BatchMixing()
      mixing.mixupAlpha = test.mixup
      mixing.cutmixAlpha = test.cutmix
      mixing.cutmixSides = test.minmax.map { $0[0]...$0[1] }
      mixing.probability = test.prob
      mixing.switchProbability = test.switchProb
      mixing.mode = try #require(BatchMixing.Mode(rawValue: test.mode))
      var pixels = (0..<test.count).flatMap {
        DataFixtures.noise(width: test.size, height: test.size, seed: UInt64($0 + 1)).pixels
      }
      let targets = BatchTargets(capacity: test.count)
      let labels = (0..<test.count).map { Int32(3 * $0 % 5) }
      targets.setLabels(labels, count: test.count, times: 1)
      var random = CounterRandom(seed: 3, stream: .mixup, counters: test.epoch, test.batch)
      mixing.apply(
        to: &pixels, count: test.count, size: test.size, &random, targets: targets)
      let rows = mixing.rows(of: test.count)
      #expect(rows == test.targets.count / 5)
      let mixed = Array(pixels.prefix(rows * 3 * test.size * test.size))
      #expect(DataFixtures.crc32(mixed) == test.crc, "\(test.mode) \(test.epoch) \(test.batch)")
      for row in 0..<rows {
        for label in 0..<5 {
          var share: Float = 0
          if targets.labels[row] == Int32(label) { share += targets.shares[row] }
          if targets.partners[row] == Int32(label) { share += 1 - targets.shares[row] }
          #expect(abs(share - test.targets[5 * row + label]) < 1e-6)
        }
      }
    }
  }

  @Test func erasedPartsEqualTimm() throws {
    for row in try Fixture.load().erased {
      let size = row.integer(1)
      var erasing = Erasing()
      erasing.largestCount = row.integer(2)
      erasing.probability = row.number(3)
      var image = [Float](repeating: 1, count: 3 * size * size)
      let key = SampleKey(seed: 3, epoch: 1, index: row.integer(0))
      erasing.apply(to: &image, size: size, key: key, row: 0, of: 1)
      let first = (0..<(size * size)).map { UInt8(image[3 * $0]) }
      #expect(DataFixtures.crc32(first) == UInt32(row.integer(4)), "\(row.integer(0))")
      #expect((0..<image.count).allSatisfy { image[$0] == image[$0 - $0 % 3] })
    }
  }

  @Test func erasingFillsWithWhatTheModeSays() {
    var erasing = Erasing()
    erasing.probability = 1
    for mode in Erasing.Mode.allCases {
      erasing.mode = mode
      var image = [Float](repeating: 9, count: 3 * 64 * 64)
      let key = SampleKey(seed: 3, epoch: 0, index: 5)
      erasing.apply(to: &image, size: 64, key: key, row: 3, of: 4)
      let erased = image.filter { $0 != 9 }
      #expect(erased.count >= 3 * 64 && erased.count % 3 == 0)
      let values = Set(erased).count
      switch mode {
      case .const: #expect(Set(erased) == [0])
      case .rand: #expect(values == 3)
      case .pixel:
        #expect(values > erased.count * 9 / 10)
        let mean = erased.reduce(0, +) / Float(erased.count)
        let square = erased.reduce(0) { $0 + $1 * $1 } / Float(erased.count)
        // Six deviations of the mean of so many numbers.
        #expect(abs(mean) < 6 / Float(erased.count).squareRoot())
        #expect(abs(square - 1) < 10 / Float(erased.count).squareRoot())
      }
      var clean = [Float](repeating: 9, count: 3 * 64 * 64)
      erasing.splits = 2
      erasing.apply(to: &clean, size: 64, key: key, row: 1, of: 4)
      #expect(Set(clean) == [9])
      erasing.splits = 1
    }
  }

  @Test func aHoleIsASquareCutAtTheBorder() {
    var erasing = Erasing()
    erasing.hole = 6
    var areas = Set<Int>()
    for index in 0..<200 {
      var image = [Float](repeating: 1, count: 3 * 16 * 16)
      erasing.apply(
        to: &image, size: 16, key: SampleKey(seed: 1, epoch: 0, index: index), row: 0, of: 1)
      let erased = (0..<256).filter { image[3 * $0] == 0 }
      let rows = Set(erased.map { $0 / 16 }).count
      let columns = Set(erased.map { $0 % 16 }).count
      #expect(erased.count == rows * columns && (3...6).contains(rows) && (3...6).contains(columns))
      areas.insert(erased.count)
    }
    #expect(areas.contains(36) && areas.count > 4)
  }

  @Test(arguments: [0.05, 0.2, 0.5, 1, 2, 8])
  func sharesHaveTheMomentsOfTheBetaDistribution(alpha: Double) {
    let count = 40_000
    var sums = (0.0, 0.0, 0.0)
    for index in 0..<count {
      var random = CounterRandom(seed: 5, stream: .mixup, counters: UInt64(index))
      let share = random.beta(alpha)
      #expect(share >= 0 && share <= 1)
      let off = share - 0.5
      sums.0 += off
      sums.1 += off * off
      sums.2 += off * off * off * off
    }
    let variance = 1 / (4 * (2 * alpha + 1))
    // The fourth central moment: excess kurtosis -6 / (2 alpha + 3).
    let fourth = variance * variance * (3 - 6 / (2 * alpha + 3))
    let deviation = (variance / Double(count)).squareRoot()
    #expect(abs(sums.0 / Double(count)) < 5 * deviation)
    #expect(abs(sums.1 / Double(count) / variance - 1) < 0.03)
    #expect(abs(sums.2 / Double(count) / fourth - 1) < 0.05)
  }

  @Test func dirichletWeightsAddUpAndAreEven() {
    for alpha in [0.01, 0.3, 1, 5] {
      var sums = [Double](repeating: 0, count: 3)
      for index in 0..<5000 {
        var random = CounterRandom(seed: 6, stream: .augmentation, counters: UInt64(index))
        var weights: [Float] = []
        random.appendDirichlet(alpha, count: 3, to: &weights)
        #expect(abs(weights.reduce(0, +) - 1) < 1e-5 && weights.allSatisfy { $0 >= 0 })
        for part in 0..<3 { sums[part] += Double(weights[part]) / 5000 }
      }
      #expect(sums.allSatisfy { abs($0 - 1.0 / 3) < 0.04 })
    }
  }

  @Test func mixingOnAndOffFollowProbabilityAndSwitch() {
    var mixing = BatchMixing()
    mixing.mixupAlpha = 0.4
    mixing.cutmixAlpha = 1
    mixing.probability = 0.7
    mixing.switchProbability = 0.25
    var boxes = 0
    var mixed = 0
    let total = 4000
    for index in 0..<total {
      var random = CounterRandom(seed: 8, stream: .mixup, counters: UInt64(index))
      let draw = mixing.draw(size: 32, &random)
      if draw.box != nil { boxes += 1 }
      if draw.box != nil || draw.share < 1 { mixed += 1 }
    }
    // Five standard deviations.
    #expect(abs(mixed - 2800) < 145)
    #expect(abs(boxes - 700) < 125)
  }
}
