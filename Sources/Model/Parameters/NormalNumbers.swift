internal import Foundation
internal import Kernels

/// Fills `target` with normal numbers around zero, two from each pair of uniform ones (Box and
/// Muller, 1958).
func fillNormal(
  _ target: UnsafeMutablePointer<Float>, _ count: Int, deviation: Double,
  _ random: inout CounterRandom
) {
  var index = 0
  while index < count {
    // 1 - u lies in (0, 1], where the logarithm is finite.
    let radius = deviation * (-2 * log(1 - random.uniform())).squareRoot()
    let angle = 2 * Double.pi * random.uniform()
    target[index] = Float(radius * cos(angle))
    if index + 1 < count { target[index + 1] = Float(radius * sin(angle)) }
    index += 2
  }
}
