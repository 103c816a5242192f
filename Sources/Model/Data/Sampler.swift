internal import Kernels

/// Which pictures an epoch takes, and in which order.
///
/// Either way an epoch has as many pictures as the data set, and its order is a function of seed
/// and epoch alone.
public enum Sampler: String, Sendable, CaseIterable {
  /// Every picture once.
  case shuffle
  /// Every class equally often, or once more than another: pictures of small classes come
  /// repeatedly, and of large classes only some come in an epoch.
  case balanced

  /// The numbers of the pictures in the order of the epoch.
  func order(_ dataset: any Dataset, seed: UInt64, epoch: Int) -> [Int32] {
    switch self {
    case .shuffle: return BatchLoader.order(count: dataset.count, seed: seed, epoch: epoch)
    case .balanced: return balancedOrder(dataset, seed: seed, epoch: epoch)
    }
  }

  private func balancedOrder(_ dataset: any Dataset, seed: UInt64, epoch: Int) -> [Int32] {
    var random = CounterRandom(seed: seed, stream: .shuffle, counters: UInt64(epoch), 1)
    // Which classes get one more is drawn anew in each epoch.
    let groups = dataset.indicesByClass.filter { !$0.isEmpty }.drawn(&random)
    guard !groups.isEmpty else { return [] }
    var order: [Int32] = []
    order.reserveCapacity(dataset.count)
    for (place, group) in groups.enumerated() {
      var left = dataset.count / groups.count + (place < dataset.count % groups.count ? 1 : 0)
      // A class is gone through again only after all its pictures have come.
      while left > 0 {
        order += group.drawn(&random).prefix(left)
        left -= min(left, group.count)
      }
    }
    return order.drawn(&random)
  }
}

extension Array {
  /// The elements in an order that is drawn (Fisher and Yates), the same with every compiler.
  func drawn(_ random: inout CounterRandom) -> [Element] {
    var order = self
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, random.integer(below: last + 1))
    }
    return order
  }
}
