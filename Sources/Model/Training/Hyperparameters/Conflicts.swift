extension HyperparameterValues {
  /// What makes these settings impossible together; nil when nothing does.
  ///
  /// Keys that merely have no effect are no conflict: `inertReason` says why.
  public var conflict: HyperparameterError? {
    Self.rules.lazy.compactMap { $0(self) }.first
  }

  private static let rules: [@Sendable (HyperparameterValues) -> HyperparameterError?] = [
    losses, stages,
  ]

  private static let losses: @Sendable (HyperparameterValues) -> HyperparameterError? = { values in
    guard values.flag("bce-loss"), values.number("poly-loss") != 0 else { return nil }
    return .conflict(
      key: "poly-loss", reason: "bce-loss and poly-loss are two different losses",
      advice: "set bce-loss=off or poly-loss=0")
  }

  private static let stages: @Sendable (HyperparameterValues) -> HyperparameterError? = { values in
    guard values.progressionRule != .none else { return nil }
    let count = values.integer("stages")
    if let batches = values.numbers("stage-batch"), batches.count != count {
      return .conflict(
        key: "stage-batch",
        reason: "stage-batch has \(batches.count) numbers for \(count) stages",
        advice: "give \(count) numbers, or set stages=\(batches.count)")
    }
    return nil
  }
}
