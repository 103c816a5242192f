/// Rule C12: a parameter that is never read, or whose value a later literal `set` replaces before
/// anything reads it, does not do what its author thinks.
enum ParameterUse {
  static func diagnostics(of script: CheckedScript, _ mentioned: Set<String>) -> [Diagnostic] {
    var found: [Diagnostic] = []
    for parameter in script.parameters where !mentioned.contains(normalizedName(parameter.name)) {
      found.append(.unusedParameter(parameter))
    }
    return found + overwritten(script)
  }

  private static func overwritten(_ script: CheckedScript) -> [Diagnostic] {
    let names = Set(script.parameters.map { normalizedName($0.name) })
    var origins: [Slot: (name: String, range: SourceRange)] = [:]
    var found: [Diagnostic] = []
    for step in script.steps {
      let invocation = step.invocation
      for slot in invocation.reads {
        origins = origins.filter { !$0.key.overlaps(slot) }
      }
      guard invocation.signature.mergesKeys else { continue }
      for (slot, argument) in invocation.keyWrites {
        let source = argument.references.first { names.contains(normalizedName($0)) }
        if let source {
          origins[slot] = (source, argument.fullRange)
        } else if argument.references.isEmpty, let origin = origins[slot] {
          found.append(
            .overwrittenParameter(
              origin.name, key: argument.name, at: argument.fullRange, first: origin.range))
          origins[slot] = nil
        }
      }
    }
    return found
  }
}

extension Invocation {
  /// The slot that each key writes, for signatures whose keys are assignments of their own.
  var keyWrites: [(slot: Slot, argument: Argument)] {
    var pairs: [(Slot, Argument)] = []
    for case .eachKey(let prefix, let except) in signature.writes {
      pairs += keys.filter { !except.contains($0.name) }.map { (Slot(prefix + $0.name), $0) }
    }
    return pairs
  }
}
