import Foundation
import Kernels
import Testing

@testable import Model

@Suite struct EvaluationDetailTests {
  private struct Crops: Decodable {
    struct Case: Decodable {
      let width, height, size: Int
      let seed: UInt64
      let fraction: Double
      let crops: [UInt32]
    }
    let cases: [Case]
  }

  @Test func viewsAreThoseOfTorchvision() throws {
    let cases = try DataFixtures.json("crops.json", as: Crops.self).cases
    #expect(cases.count == 4)
    for item in cases {
      let image = DataFixtures.noise(width: item.width, height: item.height, seed: item.seed)
      let transform = EvalTransform(
        size: item.size, cropFraction: item.fraction, interpolation: .bicubic,
        normalization: .imageNet)
      func sums(_ views: TestViews) -> [UInt32] {
        (0..<views.count).map { view in
          let rendered = ViewTransform(base: transform, views: views)(
            image, key: SampleKey(seed: 0, epoch: 0, index: 7 * views.count + view))
          return DataFixtures.crc32(rendered.pixels)
        }
      }
      #expect(sums(.fiveCrop) == Array(item.crops.prefix(5)))
      #expect(sums(.tenCrop) == item.crops)
      #expect(sums(.flip)[0] == DataFixtures.crc32(transform(image).pixels))
      #expect(sums(.none) == [sums(.flip)[0]])
    }
  }

  /// A network whose answers differ, and what a loop over its single images gives.
  private struct Naive {
    let network: Network
    let data: DataSource
    let transform: EvalTransform
    let pool = ThreadPool(threads: 2)

    init(size: Int = 16, fraction: Double = 0.7) throws {
      network = try TinyTraining.network()
      data = TinyTraining.data(test: 70)
      transform = EvalTransform(
        size: size, cropFraction: fraction, interpolation: .bilinear, normalization: .imageNet)
    }

    func probabilities(_ views: TestViews) throws -> [[Double]] {
      let folded = try FoldedNetwork(network, maxBatch: 1, inputSize: transform.size, pool: pool)
      return try (0..<70).map { index in
        let image = try data.test.image(index)
        var mean = [Double](repeating: 0, count: 10)
        for view in 0..<views.count {
          let rendered = ViewTransform(base: transform, views: views)(
            image, key: SampleKey(seed: 0, epoch: 0, index: view))
          transform.normalization.apply(
            rendered.pixels, pixelCount: transform.size * transform.size, into: folded.input)
          let logits = folded.run(batch: 1)
          let values = (0..<10).map { exp(Double(logits[$0])) }
          for label in 0..<10 {
            mean[label] += values[label] / values.reduce(0, +) / Double(views.count)
          }
        }
        return mean
      }
    }

    func evaluate(_ views: TestViews, workers: Int = 1) throws -> (Evaluation, EvaluationDetails) {
      let evaluator = try Evaluator(
        network, transform: transform, views: views, workers: workers, pool: pool)
      var details = EvaluationDetails(classCount: 10, top: 3)
      let means = try evaluator.run(data.test) { _, total in
        total == 70
      } visit: { index, label, logits in
        details.add(index: index, label: label, logits: logits)
      }
      return (try #require(means), details)
    }
  }

  @Test func everyNumberIsThatOfASimpleLoop() throws {
    for (views, size) in [
      (TestViews.none, 16), (.flip, 16), (.fiveCrop, 24), (.tenCrop, 16), (.tenCrop, 96),
    ] {
      let naive = try Naive(size: size)
      let rows = try naive.probabilities(views)
      let labels = (0..<70).map { naive.data.test.label($0) }
      let (means, details) = try naive.evaluate(views)
      let tolerance = 2e-5
      let loss = zip(rows, labels).map { -log($0[$1]) }.reduce(0, +) / 70
      #expect(abs(means.loss - loss) < tolerance, "\(views)")
      #expect(means.count == 70)
      let best = rows.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
      let right = zip(best, labels).map { $0 == $1 }
      #expect(means.top1 == 100 * Double(right.count { $0 }) / 70)

      // scikit-learn's confusion_matrix, recall and precision.
      for label in 0..<10 {
        for predicted in 0..<10 {
          let expected = (0..<70).count { labels[$0] == label && best[$0] == predicted }
          #expect(details.count(of: label, takenFor: predicted) == expected)
        }
        let result = details.classes[label]
        let count = labels.count { $0 == label }
        let taken = best.count { $0 == label }
        let hits = (0..<70).count { labels[$0] == label && best[$0] == label }
        #expect(result.count == count && result.predicted == taken && result.right == hits)
        #expect(result.accuracy == (count > 0 ? 100 * Double(hits) / Double(count) : nil))
        #expect(result.precision == (taken > 0 ? 100 * Double(hits) / Double(taken) : nil))
      }
      #expect(details.mistakes.map(\.count).reduce(0, +) == right.count { !$0 })
      #expect(details.mistakes.map(\.count) == details.mistakes.map(\.count).sorted(by: >))

      // Guo et al.: bins (m - 1, m] / 15.
      var error = 0.0
      for bin in 0..<15 {
        let inside = (0..<70).filter { index in
          let confidence = rows[index][best[index]]
          return confidence > Double(bin) / 15 && confidence <= Double(bin + 1) / 15
        }
        if inside.isEmpty { continue }
        let accuracy = Double(inside.count { right[$0] }) / Double(inside.count)
        let confidence = inside.map { rows[$0][best[$0]] }.reduce(0, +) / Double(inside.count)
        error += Double(inside.count) / 70 * abs(accuracy - confidence)
        #expect(details.calibration.bins[bin].count == inside.count)
      }
      #expect(abs(details.calibration.error - error) < tolerance)

      #expect(details.predictions.map(\.index) == Array(0..<70))
      for (prediction, row) in zip(details.predictions, rows) {
        #expect(prediction.classes.count == 3 && prediction.label == labels[prediction.index])
        #expect(prediction.classes[0] == best[prediction.index])
        for (label, probability) in zip(prediction.classes, prediction.probabilities) {
          #expect(abs(probability - row[label]) < tolerance)
        }
      }
    }
  }

  @Test func workersAndTheVisitorChangeNothing() throws {
    let naive = try Naive()
    for views in TestViews.allCases {
      let (one, details) = try naive.evaluate(views)
      let (three, others) = try naive.evaluate(views, workers: 3)
      #expect(one.loss == three.loss && one.top1 == three.top1)
      #expect(details.predictions == others.predictions)
      let plain = try Evaluator(
        naive.network, transform: naive.transform, views: views, workers: 1, pool: naive.pool
      ).run(naive.data.test)
      #expect(plain?.loss == one.loss)
    }
  }

  @Test func confidencesFallIntoTheirBins() {
    var calibration = Calibration(bins: 4)
    for (confidence, isRight) in [
      (0.25, true), (0.250001, false), (1, true), (1, true), (0, false), (Double.nan, false),
    ] {
      calibration.add(confidence: confidence, isRight: isRight)
    }
    #expect(calibration.bins.map(\.count) == [3, 1, 0, 2] && calibration.count == 6)
    // 3 images: one right, confidence 0.25; one wrong at 0.250001; two right at 1.
    #expect(abs(calibration.error - (0.75 + 0.250001) / 6) < 1e-12)
  }

  @Test func logitsThatAreNoNumbersAreNeverRight() {
    var details = EvaluationDetails(classCount: 3, top: 2)
    let logits: [[Float]] = [[.nan, 1, 0], [2, 2, 1], [.nan, .nan, .nan], [-.infinity, 0, 1]]
    for (index, row) in logits.enumerated() {
      row.withUnsafeBufferPointer { details.add(index: index, label: 0, logits: $0) }
    }
    #expect(details.count(of: 0, takenFor: 1) == 1)
    // Of equals the smaller number; of nothing but NaN the first.
    #expect(details.count(of: 0, takenFor: 0) == 2 && details.count(of: 0, takenFor: 2) == 1)
    #expect(details.predictions[1].classes == [0, 1])
    #expect(details.calibration.bins.map(\.right).reduce(0, +) == 1)
  }

  @Test func aHeadWithoutPicturesHasNoShare() {
    var details = EvaluationDetails(classCount: 2)
    [Float](arrayLiteral: 1, 0).withUnsafeBufferPointer {
      details.add(index: 0, label: 0, logits: $0)
    }
    #expect(details.classes[1].accuracy == nil && details.classes[1].precision == nil)
    #expect(details.predictions.isEmpty)
  }
}
