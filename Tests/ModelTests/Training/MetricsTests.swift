import Testing

@testable import Model

struct MetricsTests {
  private func counts(_ logits: [[Float]], _ labels: [Int32]) -> AccuracyCounts {
    var counts = AccuracyCounts()
    let flat = logits.flatMap { $0 }
    flat.withUnsafeBufferPointer { logits in
      labels.withUnsafeBufferPointer { labels in
        counts.add(
          logits: logits, labels: labels, classes: labels.isEmpty ? 1 : flat.count / labels.count)
      }
    }
    return counts
  }

  @Test func theLargestLogitsCount() {
    let row: [Float] = [0.1, 0.9, 0.5, 0.3, 0.2, 0.4, 0]
    // Ranks: 1, 2, 5, 3, 4, 0, 6.
    let result = counts([row, row, row, row], [1, 0, 4, 6])
    #expect(result.top1 == 1)
    #expect(result.top5 == 2)
    #expect(result.count == 4)
  }

  @Test func fewerThanFiveClassesAreAllAmongTheFirst() {
    let result = counts([[3, 2, 1], [3, 2, 1]], [2, 0])
    #expect(result.top1 == 1)
    #expect(result.top5 == 2)
  }

  @Test func ofEqualLogitsTheFirstIsLarger() {
    let flat = [Float](repeating: 0, count: 10)
    #expect(counts([flat], [0]).top1 == 1)
    #expect(counts([flat], [4]).top5 == 1)
    #expect(counts([flat], [5]).top5 == 0)
  }

  @Test func aNumberThatIsNoneIsNeverRight() {
    #expect(counts([[.nan, 1]], [0]).top1 == 0)
    #expect(counts([[1, .nan]], [0]).top1 == 0)
    #expect(counts([[.nan, .nan]], [0]).top5 == 0)
  }

  @Test func meansAreWeightedByImages() {
    var mean = RunningMean()
    #expect(mean.mean.isNaN)
    mean.add(1, count: 30)
    mean.add(4, count: 10)
    #expect(mean.mean == 1.75)
    #expect(mean.count == 40)
  }

  @Test func betterDependsOnTheMetric() {
    #expect(EvaluationMetric.top1.isBetter(2, than: 1))
    #expect(!EvaluationMetric.top1.isBetter(1, than: 1))
    #expect(EvaluationMetric.loss.isBetter(1, than: 2))
    #expect(EvaluationMetric.loss.isBetter(1, than: .nan))
    #expect(!EvaluationMetric.loss.isBetter(.nan, than: .nan))
  }
}
