import Foundation
import Kernels

/// A normal number around 0 with deviation 1, from two uniform ones (Box and Muller, 1958).
func standardNormal(_ first: Double, _ second: Double) -> Double {
  // 1 - u lies in (0, 1], where the logarithm is finite.
  (-2 * log(1 - first)).squareRoot() * cos(2 * Double.pi * second)
}

extension CounterRandom {
  /// A normal number around 0 with deviation 1.
  mutating func normal() -> Double {
    let first = uniform()
    return standardNormal(first, uniform())
  }

  /// The logarithm of a number of the gamma distribution with scale 1.
  ///
  /// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 2000. In the
  /// logarithm a shape close to 0, whose numbers are too small for a Double, does no harm.
  mutating func logGamma(shape: Double) -> Double {
    precondition(shape > 0)
    // A shape below 1 is one more, times a power of a uniform number.
    let boost = shape < 1 ? log(1 - uniform()) / shape : 0
    let d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    while true {
      let x = normal()
      let root = 1 + c * x
      if root <= 0 { continue }
      let v = root * root * root
      if log(1 - uniform()) < 0.5 * x * x + d * (1 - v + log(v)) { return log(d * v) + boost }
    }
  }

  /// A number of the beta distribution with both parameters `alpha`, in 0...1.
  mutating func beta(_ alpha: Double) -> Double {
    let first = logGamma(shape: alpha)
    let second = logGamma(shape: alpha)
    return 1 / (1 + exp(second - first))
  }

  /// Appends `count` numbers of the symmetric Dirichlet distribution, which add up to 1.
  mutating func appendDirichlet(_ alpha: Double, count: Int, to numbers: inout [Float]) {
    withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { logs in
      for index in 0..<count { logs.initializeElement(at: index, to: logGamma(shape: alpha)) }
      let largest = logs.max() ?? 0
      var sum = 0.0
      for value in logs { sum += exp(value - largest) }
      for value in logs { numbers.append(Float(exp(value - largest) / sum)) }
    }
  }
}
