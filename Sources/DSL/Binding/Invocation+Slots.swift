extension Invocation {
  /// The trace that this invocation leaves: a look with `> PATH` makes a file, so it counts as a
  /// change.
  public var effect: Signature.Effect {
    signature.effect == .look && output != nil ? .change : signature.effect
  }

  /// The slots it reads.
  public var reads: [Slot] { slots(signature.reads) }

  /// The slots it writes; a file behind `>` is always among them.
  public var writes: [Slot] {
    let declared = slots(signature.writes)
    let file = output.map { Slot.file($0.text) }
    if let file, !declared.contains(file) { return declared + [file] }
    return declared
  }

  private func slots(_ rules: [SlotRule]) -> [Slot] { rules.flatMap(slots) }

  private func slots(_ rule: SlotRule) -> [Slot] {
    switch rule {
    case .slot(let slot): [slot]
    case .eachKey(let prefix, let except):
      keys.filter { !except.contains($0.name) }.map { Slot(prefix + $0.name) }
    case .argument(let name, let prefix): strings(name).map { Slot(prefix + $0) }
    case .output: output.map { [.file($0.text)] } ?? []
    case .only(let rule, let condition): holds(condition) ? slots(rule) : []
    }
  }

  private func holds(_ condition: SlotRule.Condition) -> Bool {
    switch condition {
    case .missing(let name): !isGiven(name)
    case .among(let name, let values): strings(name).contains(where: values.contains)
    }
  }
}
