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
    func worst(_ value: (Float) -> Double, within limit: Float) -> Double {
      Self.grid.filter { abs($0) <= limit }
        .map { abs(value($0) * (1 + exp(-Double($0))) - 1) }.max() ?? .infinity
    }
    #expect(worst({ Double(sigmoid($0)) }, within: 20) < 2e-7)
    #expect(worst({ Double(sigmoid($0)) }, within: 87) < 3.5e-7)
    // Nothing but a zero is 0 / 0 there.
    let quotient = { (x: Float) in x == 0 ? 0.5 : Double(silu(x)) / Double(x) }
    #expect(worst(quotient, within: 20) < 2e-7)
    #expect(worst(quotient, within: 87) < 3.5e-7)
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
}
