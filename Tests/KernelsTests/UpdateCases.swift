import Foundation
import Kernels

extension KernelCase {
  /// Every rule that treats each weight by itself, and what happens to whole buffers around it.
  static let elementwiseUpdates: [KernelCase] = [1, 15, 24, 40_000].flatMap { count in
    adamUpdates(count) + rootUpdates(count) + buffers(count)
  }

  /// A weight with its gradient and the two numbers that a rule remembers.
  private struct Element {
    var weight: Double
    let gradient: Double
    var first: Double
    var second: Double
  }

  private static func update(
    _ name: String, _ count: Int,
    _ kernel: @escaping @Sendable (UpdateRun, ThreadPool) -> Void,
    _ rule: @escaping @Sendable (inout Element) -> Void
  ) -> KernelCase {
    let weights = uniform(count, seed: 61)
    let gradients = uniform(count, seed: 62)
    let first = uniform(count, seed: 63, 0.1, 1)
    let second = uniform(count, seed: 64, 0.1, 1)
    return KernelCase(
      name: "\(name) \(count)", absolute: 1e-6, relative: 1e-6,
      run: { pool, memory in
        let (w, a, b) = (memory.floats(weights), memory.floats(first), memory.floats(second))
        kernel(
          UpdateRun(
            weights: w.base, gradients: memory.floats(gradients).reading, first: a.base,
            second: b.base, count: count), pool)
        return [w, a, b]
      },
      reference: {
        let elements = (0..<count).map { index -> Element in
          var element = Element(
            weight: Double(weights[index]), gradient: Double(gradients[index]),
            first: Double(first[index]), second: Double(second[index]))
          rule(&element)
          return element
        }
        return [elements.map(\.weight), elements.map(\.first), elements.map(\.second)]
      })
  }

  private static func adamUpdates(_ count: Int) -> [KernelCase] {
    [
      update("adam", count) { run, pool in
        var numbers = AdamCoefficients(beta1: 0.8, beta2: 0.9, epsilon: 0.01)
        numbers.decay = 0.03
        numbers.keep = 0.98
        numbers.meanRate = 0.2
        numbers.gradientRate = 0.1
        numbers.rootScale = 1.5
        adamUpdate(run, numbers, pool: pool)
      } _: { element in
        let direction = element.gradient + 0.03 * element.weight
        element.first = 0.8 * element.first + 0.2 * direction
        element.second = 0.9 * element.second + 0.1 * direction * direction
        element.weight =
          0.98 * element.weight
          - (0.2 * element.first + 0.1 * direction) / (1.5 * element.second.squareRoot() + 0.01)
      },
      update("adamax", count) { run, pool in
        adamaxUpdate(
          run, beta1: 0.8, beta2: 0.9, epsilon: 0.01, decay: 0.03, rate: 0.1, pool: pool)
      } _: { element in
        let direction = element.gradient + 0.03 * element.weight
        element.first = 0.8 * element.first + 0.2 * direction
        element.second = max(0.9 * element.second, abs(direction) + 0.01)
        element.weight -= 0.1 * element.first / element.second
      },
    ]
  }

  private static func rootUpdates(_ count: Int) -> [KernelCase] {
    [
      update("rmsprop", count) { run, pool in
        var numbers = RootMeanSquareCoefficients(alpha: 0.9, momentum: 0.7)
        numbers.decay = 0.03
        numbers.inner = 0.5
        numbers.outer = 0.2
        numbers.epsilonInside = 0.02
        numbers.epsilonOutside = 0.01
        rootMeanSquareUpdate(run, numbers, pool: pool)
      } _: { element in
        let direction = element.gradient + 0.03 * element.weight
        element.first = 0.9 * element.first + 0.1 * direction * direction
        let root = (element.first + 0.02).squareRoot() + 0.01
        element.second = 0.7 * element.second + 0.5 * direction / root
        element.weight -= 0.2 * element.second
      },
      update("adagrad", count) { run, pool in
        adagradUpdate(run, epsilon: 0.01, decay: 0.03, rate: 0.1, pool: pool)
      } _: { element in
        let direction = element.gradient + 0.03 * element.weight
        element.first += direction * direction
        element.weight -= 0.1 * direction / (element.first.squareRoot() + 0.01)
      },
      update("adadelta", count) { run, pool in
        adadeltaUpdate(run, rho: 0.9, epsilon: 0.01, decay: 0.03, rate: 0.5, pool: pool)
      } _: { element in
        let direction = element.gradient + 0.03 * element.weight
        element.first = 0.9 * element.first + 0.1 * direction * direction
        let move =
          direction * ((element.second + 0.01) / (element.first + 0.01)).squareRoot()
        element.second = 0.9 * element.second + 0.1 * move * move
        element.weight -= 0.5 * move
      },
    ]
  }

  /// The flat kernels on whole buffers: the first and the second number of each element.
  private static func buffers(_ count: Int) -> [KernelCase] {
    [
      update("approach", count) { run, pool in
        approach(run.first, run.second, share: 0.25, count: run.count, pool: pool)
      } _: {
        $0.first += 0.25 * ($0.second - $0.first)
      },
      update("lookahead", count) { run, pool in
        lookaheadUpdate(
          fast: run.weights, slow: run.first, share: 0.5, count: run.count, pool: pool)
      } _: {
        $0.first += 0.5 * ($0.weight - $0.first)
        $0.weight = $0.first
      },
      update("combine", count) { run, pool in
        combine(run.first, times: 0.5, run.second, times: 2, count: run.count, pool: pool)
        // Whatever the target holds.
        fill(run.weights, .nan, count: run.count, pool: pool)
        combine(run.weights, times: 0, run.first, times: 1, count: run.count, pool: pool)
      } _: {
        $0.first = 0.5 * $0.first + 2 * $0.second
        $0.weight = $0.first
      },
      update("exchange, scale and limit", count) { run, pool in
        exchange(run.first, run.second, count: run.count, pool: pool)
        scale(run.first, by: 3, count: run.count, pool: pool)
        limit(run.weights, to: 0.5, count: run.count, pool: pool)
      } _: {
        ($0.first, $0.second) = (3 * $0.second, $0.first)
        $0.weight = min(0.5, max(-0.5, $0.weight))
      },
    ]
  }
}
