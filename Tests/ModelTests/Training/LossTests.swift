import Foundation
import Kernels
import Testing

@testable import Model

struct LossTests {
  /// A batch of logits with the loss and the gradient of timm's rule in double precision.
  struct Case: Decodable, CustomTestStringConvertible {
    let name: String
    let rule: [String: HyperparameterValue]
    let smoothing: Double
    let classes: Int
    let rows: Int
    let views: Int
    let logits: [Float]
    let labels: [Int32]
    let partners: [Int32]
    let shares: [Float]
    let loss: Double
    let gradient: [Double]

    var testDescription: String { name }
  }

  static let cases: [Case] = {
    guard
      let data = try? Data(contentsOf: fixtureFolder("training").appending(path: "losses.json")),
      let cases = try? JSONDecoder().decode([Case].self, from: data)
    else { return [] }
    return cases
  }()

  @Test func thereAreCases() { #expect(Self.cases.count >= 12) }

  @Test(arguments: cases, 1...3)
  func lossesAndGradientsAreTimms(test: Case, threads: Int) throws {
    var values = HyperparameterValues()
    try values.set("smoothing", to: .number(test.smoothing))
    for (name, value) in test.rule { try values.set(name, to: value) }
    let loss = TrainingLoss(values)
    let images = test.rows / test.views
    #expect(loss.imageCount(rows: test.rows) == images)
    let targets = BatchTargets(capacity: test.rows)
    for image in 0..<images {
      targets.labels[image] = test.labels[image]
      targets.partners[image] = test.partners[image]
      targets.shares[image] = test.shares[image]
    }
    // Memory that was not set must not matter.
    var gradient = [Float](repeating: .nan, count: test.logits.count)
    var losses = [Float](repeating: .nan, count: images)
    loss.run(
      logits: test.logits, targets: targets, rows: test.rows, classes: test.classes,
      logitGradient: &gradient, losses: &losses, pool: ThreadPool(threads: threads))
    let mean = losses.reduce(0) { $0 + Double($1) } / Double(images)
    // Single precision throughout: a few units in the last place of the largest terms.
    #expect(abs(mean - test.loss) <= 2e-6 * max(1, test.loss))
    let largest = test.gradient.map(abs).max() ?? 1
    for (index, expected) in test.gradient.enumerated() {
      #expect(
        abs(Double(gradient[index]) - expected) <= 2e-6 * max(largest, 0.1),
        "\(index): \(gradient[index]), \(expected)")
    }
  }

  @Test func aLogitThatIsNoNumberComesThrough() throws {
    for key in ["smoothing", "bce-loss"] {
      var values = HyperparameterValues()
      if key == "bce-loss" { try values.set(key, to: .flag(true)) }
      var gradient = [Float](repeating: 0, count: 6)
      var losses: [Float] = [0, 0]
      TrainingLoss(values).run(
        logits: [.nan, 0, 1, 2, 3, 4], targets: BatchTargets(capacity: 2), rows: 2, classes: 3,
        logitGradient: &gradient, losses: &losses, pool: ThreadPool(threads: 1))
      #expect(losses[0].isNaN && losses[1].isFinite && gradient[0].isNaN)
    }
  }
}
