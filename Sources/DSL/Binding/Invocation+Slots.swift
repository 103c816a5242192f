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

  private func slots(_ rules: [SlotRule]) -> [Slot] {
    var found: [Slot] = []
    for rule in rules {
      switch rule {
      case .slot(let slot): found.append(slot)
      case .eachKey(let prefix, let except):
        found += keys.filter { !except.contains($0.name) }.map { Slot(prefix + $0.name) }
      case .argument(let name, let prefix): found += strings(name).map { Slot(prefix + $0) }
      case .output:
        if let output { found.append(.file(output.text)) }
      }
    }
    return found
  }
}
