import Kernels

/// The mean gradient of several batches.
final class GradientAccumulator {
  private let parameters: ParameterStore
  private let sum: FloatMemory

  init(_ parameters: ParameterStore) {
    self.parameters = parameters
    sum = FloatMemory(count: parameters.table.weightExtent)
  }

  /// Takes the gradients of a batch; behind the last one they become the mean of all.
  ///
  /// - Returns: whether that was the last one.
  func add(_ part: BatchPart, pool: ThreadPool) -> Bool {
    let gradients = parameters.gradients
    guard part.isLast else {
      combine(
        sum.base, times: part.isFirst ? 0 : 1, gradients, times: 1, count: sum.count, pool: pool)
      return false
    }
    guard !part.isFirst else { return true }
    let share = 1 / Float(part.count)
    combine(gradients, times: share, sum.base, times: share, count: sum.count, pool: pool)
    return true
  }
}

/// Which of the batches of a step one is.
struct BatchPart: Equatable {
  /// Its place, from 0.
  let index: Int
  /// How many there are.
  let count: Int

  /// The only batch of a step.
  static let whole = BatchPart(index: 0, count: 1)

  var isFirst: Bool { index == 0 }
  var isLast: Bool { index == count - 1 }
}
