import DSL

/// Where a loop stands in a script, and which commands it is repeated into.
struct LoopPlace {
  private let range: SourceRange
  private let text: String
  /// The index of its first command, and how many it comes to.
  private let first: Int
  private let count: Int
  /// What it mentions besides its own variables.
  private let names: [String]

  /// The outermost loop around a step; nil where there is none.
  init?(around step: Step, in script: CheckedScript) {
    guard !step.variables.isEmpty,
      let loop = script.script.statements.first(where: { Self.holds($0.range, step) })
    else { return nil }
    range = loop.range
    text = script.script.source.text(in: loop.range)
    let steps = script.steps.filter { Self.holds(loop.range, $0) }
    first = steps.first?.index ?? step.index
    count = steps.count
    let own = Set(steps.flatMap { $0.variables.map(\.name) })
    names = SessionScript.names(in: text).filter { !own.contains($0) }
  }

  /// Whether a step stems from this loop.
  func holds(_ step: Step) -> Bool { Self.holds(range, step) }

  /// What the journal says of a step of this loop.
  ///
  /// - Parameter value: what a name stands for.
  func trace(of step: Step, value: (String) -> String?) -> JournalEntry.Loop {
    var values: [String: String] = [:]
    for name in names { values[name] = value(name) }
    return JournalEntry.Loop(
      text: text, position: step.index - first, count: count, values: values)
  }

  private static func holds(_ range: SourceRange, _ step: Step) -> Bool {
    range.start <= step.range.start && step.range.end <= range.end
  }
}
