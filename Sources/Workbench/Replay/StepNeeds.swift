import DSL

/// What a step cannot do without, and what it makes: for replays that leave steps out or go on after
/// a failure.
struct StepNeeds {
  /// The slots that are missing, and whose fault that is.
  private(set) var missing: [Slot: String] = [:]

  /// Notes that a step's results are not there.
  mutating func lose(_ step: Step, because reason: String) {
    for slot in Self.results(of: step) { missing[slot] = reason }
  }

  /// Notes that a step has made its results.
  mutating func gain(_ step: Step) {
    for slot in Self.results(of: step) { missing[slot] = nil }
  }

  /// Why a step cannot run; nil if it can.
  func obstacle(to step: Step) -> String? {
    let needs = Self.needs(of: step)
    return missing.filter { entry in needs.contains { $0.overlaps(entry.key) } }
      .min { $0.key < $1.key }?.value
  }

  private static func results(of step: Step) -> [Slot] {
    var slots = step.invocation.writes
    if step.invocation.name == "data" { slots.removeAll { $0 == "model" } }
    return slots
  }

  /// The slots without which a step fails or does something else; others it only looks at if they
  /// are there.
  private static func needs(of step: Step) -> [Slot] {
    let slots = step.invocation.reads
    switch step.invocation.name {
    case "status", "show", "set", "unset", "seed", "preset", "data": return []
    case "load": return slots.filter { $0 == "data" }
    // In a new session they load the network and the data of their run.
    case "eval" where step.invocation.isGiven("run"), "resume":
      return slots.filter { $0.name.hasPrefix("run:") }
    default: return slots
    }
  }
}
