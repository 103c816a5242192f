import Kernels

/// Lookahead (Zhang et al., arXiv:1907.08610) around any rule: every sixth step, and at the end of an
/// epoch as in timm's train.py, slow weights go half the way to the fast ones, which return to them.
///
/// The slow weights begin where the fast ones are when they first meet.
final class Lookahead: Optimizer {
  private static let interval = 6
  private static let share: Float = 0.5

  let slots: [OptimizerSlot]
  var updates: Int {
    get { rule.updates }
    set { rule.updates = newValue }
  }
  private let rule: any Optimizer
  private let target: UpdateTarget
  private var slow: OptimizerSlot { slots[slots.count - 2] }
  /// One number: 1 once slow and fast weights have met.
  private var beginning: OptimizerSlot { slots[slots.count - 1] }

  init(_ rule: any Optimizer, for target: UpdateTarget) {
    self.rule = rule
    self.target = target
    slots =
      rule.slots + [
        OptimizerSlot(name: "slow", for: target.parameters.table),
        OptimizerSlot(name: "lookahead", [("begun", [1])]),
      ]
  }

  func step(learningRate: Double, pool: ThreadPool) -> Bool {
    guard rule.step(learningRate: learningRate, pool: pool) else { return false }
    if rule.updates % Self.interval == 0 { meet(pool) }
    return true
  }

  func finishEpoch(pool: ThreadPool) {
    rule.finishEpoch(pool: pool)
    meet(pool)
  }

  private func meet(_ pool: ThreadPool) {
    // The first time the slow weights are zero and go all the way.
    let share = beginning.values[0] == 0 ? 1 : Self.share
    beginning.values[0] = 1
    for group in target.groups {
      let start = group.range.lowerBound
      lookaheadUpdate(
        fast: target.parameters.weights + start, slow: slow.values + start, share: share,
        count: group.range.count, pool: pool)
    }
  }
}
