import DSL

/// C18: a file that two commands write, the first for nothing.
enum WriterRule {
  static let rule = CheckRule { script in
    var writers: [String: Step] = [:]
    var found: [Diagnostic] = []
    for step in script.steps {
      let invocation = step.invocation
      // What was read in between was not written for nothing.
      for argument in invocation.arguments
      where !invocation.writes.contains(.file(argument.text)) {
        writers[argument.text] = nil
      }
      for slot in invocation.writes where slot.name.hasPrefix("file:") && !slot.isPattern {
        let path = String(slot.name.dropFirst("file:".count))
        if let first = writers[path] {
          let isLoop = first.range == step.range
          let range = invocation.output?.range ?? invocation.arguments.first?.range ?? step.range
          found.append(
            Diagnostic(
              .warning, rule: .writtenTwice,
              message: "'\(path)' is written \(isLoop ? "in every repetition" : "twice"): "
                + "only the last one stays",
              at: range, hint: isLoop ? "put a loop variable into the name" : "name another file",
              notes: isLoop ? [] : [.init("it is written here first", at: first.range)]))
        }
        writers[path] = step
      }
    }
    return found
  }
}

/// C19: names that are given twice: runs and the ids of cells.
enum NameRule {
  static let rule = CheckRule { script in
    cells(script.script) + runs(script)
  }

  private static func cells(_ script: Script) -> [Diagnostic] {
    var first: [String: CellMarker] = [:]
    var found: [Diagnostic] = []
    for marker in script.cells.compactMap(\.marker) {
      guard let id = marker.id else { continue }
      if let other = first[id] {
        found.append(
          Diagnostic(
            .warning, rule: .duplicateCell, message: "two cells have the id '\(id)'",
            at: marker.range, hint: "--from and --to mean the first one",
            notes: [.init("the first one", at: other.range)]))
      } else {
        first[id] = marker
      }
    }
    return found
  }

  private static func runs(_ script: CheckedScript) -> [Diagnostic] {
    var first: [String: Step] = [:]
    var found: [Diagnostic] = []
    for step in script.steps where ["train", "fork"].contains(step.invocation.name) {
      guard let name = step.invocation.string("name") else { continue }
      if let other = first[name] {
        let isLoop = other.range == step.range
        found.append(
          Diagnostic(
            .warning, rule: .duplicateRun,
            message: "the run '\(name)' is trained \(isLoop ? "in every repetition" : "twice"): "
              + "the earlier one is moved aside",
            at: step.invocation.range(of: "name"),
            hint: isLoop ? "put a loop variable into the name" : "name another one",
            notes: isLoop ? [] : [.init("it is trained here first", at: other.range)]))
      }
      first[name] = step
    }
    return found
  }
}
