extension HyperparameterValues {
  /// What makes these settings impossible together; nil when nothing does.
  ///
  /// Keys that merely have no effect are no conflict: `inertReason` says why.
  public var conflict: HyperparameterError? {
    Self.rules.lazy.compactMap { $0(self) }.first
  }

  private static let rules: [@Sendable (HyperparameterValues) -> HyperparameterError?] = [
    losses, stages, colors, { AugmentationSettings.conflict($0) },
  ]

  private static let losses: @Sendable (HyperparameterValues) -> HyperparameterError? = { values in
    var chosen: [(key: String, off: String)] = []
    if values.flag("bce-loss") { chosen.append(("bce-loss", "off")) }
    if values.flag("jsd-loss") { chosen.append(("jsd-loss", "off")) }
    if values.number("poly-loss") != 0 { chosen.append(("poly-loss", "0")) }
    if chosen.count > 1 {
      return .conflict(
        keys: chosen[...1].map(\.key),
        reason: "\(chosen[0].key) and \(chosen[1].key) are two different losses",
        advice: chosen[...1].map { "set \($0.key)=\($0.off)" }.joined(separator: " or "))
    }
    if values.flag("jsd-loss"), values.integer("aug-splits") < 2 {
      return .conflict(
        keys: ["jsd-loss", "aug-splits"],
        reason: "jsd-loss compares the views that aug-splits makes, and there are none",
        advice: "set aug-splits=3 with it")
    }
    return nil
  }

  private static let colors: @Sendable (HyperparameterValues) -> HyperparameterError? = { values in
    ["mean", "std"].first { values.numbers($0)?.count == 2 }.map { key in
      .conflict(
        keys: [key], reason: "\(key) has 2 numbers for red, green and blue",
        advice: "give 3 numbers, or 1 for all")
    }
  }

  private static let stages: @Sendable (HyperparameterValues) -> HyperparameterError? = { values in
    guard values.progressionRule != .none else { return nil }
    let count = values.integer("stages")
    if let batches = values.numbers("stage-batch"), batches.count != count {
      return .conflict(
        keys: ["stage-batch", "stages"],
        reason: "stage-batch has \(batches.count) numbers for \(count) stages",
        advice: "give \(count) numbers, or set stages=\(batches.count)")
    }
    return nil
  }
}
