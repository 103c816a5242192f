import Foundation
import Testing

@testable import Kernels

@Suite struct ActivationTests {
  private static let grid = stride(from: Float(-87), through: 87, by: 0.003_7).map { $0 }

  @Test func exponentialIsAccurate() {
    var worst = 0.0
    for x in Self.grid {
      let lanes = exponential(Vector(repeating: x))
      #expect(lanes[0].bitPattern == exponential(x).bitPattern)
      worst = max(worst, abs(Double(lanes[15]) / exp(Double(x)) - 1))
    }
    #expect(worst < 2e-7)
  }

  @Test func sigmoidIsAccurate() {
    var worst = 0.0
    for x in Self.grid {
      worst = max(worst, abs(Double(sigmoid(x)) * (1 + exp(-Double(x))) - 1))
    }
    #expect(worst < 2e-7)
  }

  /// The exponential's error, and the roundings of a sum and a quotient.
  @Test func siluIsAccurate() {
    func worst(within limit: Float) -> Double {
      Self.grid.filter { $0 != 0 && abs($0) <= limit }
        .map { abs(Double(silu($0)) / Double($0) * (1 + exp(-Double($0))) - 1) }.max() ?? .infinity
    }
    #expect(worst(within: 20) < 2e-7)
    #expect(worst(within: 87) < 2.4e-7)
    #expect(silu(Float(0)) == 0)
  }

  @Test func nanAndInfinitiesComeThrough() {
    #expect(exponential(Float.nan).isNaN)
    #expect(exponential(Vector(repeating: .nan))[3].isNaN)
    #expect(SiluFunction.value(Float.nan).isNaN)
    #expect(SiluFunction.derivative(Vector(repeating: .nan))[9].isNaN)
    #expect(sigmoid(Float.infinity) == 1)
    #expect(sigmoid(-Float.infinity) < 1e-36)
    #expect(SiluFunction.value(Float(1e30)) == 1e30)
  }

  @Test func aNanLogitMakesTheLossNan() {
    let pool = ThreadPool(threads: 1)
    let logits: [Float] = [1, .nan, 2, 3, 4, 5]
    var losses: [Float] = [0, 0]
    var gradient = [Float](repeating: 0, count: 6)
    softmaxCrossEntropy(
      logits: logits, labels: [0, 1], n: 2, classes: 3, smoothing: 0.1, logitGradient: &gradient,
      losses: &losses, pool: pool)
    #expect(losses[0].isNaN && losses[1].isFinite)
    #expect(gradient[0].isNaN && gradient[5].isFinite)
  }

  @Test(arguments: [0, 20, 299, 300]) func oneOfManyLogitsMakesTheLossNan(_ place: Int) {
    let pool = ThreadPool(threads: 1)
    var logits = (0..<301).map { Float($0 % 5) }
    logits[place] = .nan
    var loss: Float = 0
    var gradient = [Float](repeating: 0, count: 301)
    softmaxCrossEntropy(
      logits: logits, labels: [7], n: 1, classes: 301, smoothing: 0, logitGradient: &gradient,
      losses: &loss, pool: pool)
    #expect(loss.isNaN && gradient.allSatisfy(\.isNaN))
  }
}
