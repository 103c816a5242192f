import Foundation
import Kernels

/// How the running mean of the weights follows them.
public struct AverageSettings: Sendable, Equatable {
  /// How much of the mean stays in a step.
  public let decay: Double
  /// Whether less of it stays in the first steps.
  public let warmsUp: Bool

  /// How much of the mean stays in a step, counted from 1: nothing in the first one; with a warm-up
  /// 1 - step^(-2/3) as long as that is below the decay (timm's `ModelEmaV3`).
  func decay(atStep step: Int) -> Double {
    guard step > 1 else { return 0 }
    return warmsUp ? min(decay, 1 - pow(Double(step), -2.0 / 3)) : decay
  }
}

/// A running mean of a network's weights and running statistics: the network that is evaluated in its
/// place.
final class WeightAverage {
  /// The means, laid out as the network's own tensors.
  let parameters: ParameterStore
  private let settings: AverageSettings
  private let network: Network

  init(of network: Network, _ settings: AverageSettings) {
    self.network = network
    self.settings = settings
    parameters = ParameterStore(network.blueprint.parameters)
    parameters.copyMatching(from: network.parameters)
  }

  /// Follows the network after a step, counted from 1.
  func update(step: Int, pool: ThreadPool) {
    let share = Float(1 - settings.decay(atStep: step))
    let table = parameters.table
    let now = network.parameters
    approach(
      parameters.weights, now.weights, share: share, count: table.weightExtent, pool: pool)
    approach(
      parameters.buffers, now.buffers, share: share, count: table.bufferExtent, pool: pool)
    for index in 0..<table.counterCount { parameters.counters[index] = now.counters[index] }
  }

  /// Runs `body` while the network holds the means; then it has its own tensors again.
  func replacing<Result>(_ pool: ThreadPool, _ body: () throws -> Result) rethrows -> Result {
    swap(pool)
    defer { swap(pool) }
    return try body()
  }

  private func swap(_ pool: ThreadPool) {
    let table = parameters.table
    let own = network.parameters
    exchange(parameters.weights, own.weights, count: table.weightExtent, pool: pool)
    exchange(parameters.buffers, own.buffers, count: table.bufferExtent, pool: pool)
  }
}
