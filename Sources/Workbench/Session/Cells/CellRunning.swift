import DSL
import Foundation

/// Runs cells of the session's document.
struct CellRunning {
  let state: WorkbenchState

  /// Runs the cells at these places, up to the first failure.
  ///
  /// - Throws: a failure that says which cell it was, or the end of the program that a cell asks for.
  func run(_ indices: [Int]) throws {
    for index in indices {
      guard state.cells.document.cells.indices.contains(index) else { continue }
      try run(index)
    }
  }

  private func run(_ index: Int) throws {
    let cell = state.cells.document.cells[index]
    let label = state.cells.document.label(index)
    state.cells.currentKey = cell.key
    state.cells.begin(key: cell.key)
    if cell.isMarkdown { return }
    let source = Source(name: label, text: cell.text)
    let renderer = Renderer(usesColor: state.console.messageStyle.isColored)
    func show(_ diagnostics: [Diagnostic]) {
      guard !diagnostics.isEmpty else { return }
      state.console.message(renderer.render(diagnostics, in: source).trimmingNewline)
    }
    let checker = Checker(vocabulary: CommandSet.table.vocabulary, rules: ProgramRules.prompt)
    let script = checker.check(source, as: .prompt, scope: state.cells.scope)
    show(script.diagnostics)
    guard script.isSound else {
      state.cells.finish(key: cell.key, .failed)
      throw CommandError(
        "nothing of \(label) was run", hint: "'edit \(index)' opens it", exitCode: 4)
    }
    state.cells.adopt(script)
    state.console.note(state.console.messageStyle("[\(label)]", .strong))
    let outcome = SessionRunner(state: state).run(script, cells: [cell.key]) { step in
      state.console.note(
        state.console.messageStyle("> \(step.invocation.canonicalText)", .faint))
    }
    guard let failure = outcome.failures.first else {
      if let code = outcome.stopCode { throw StopRun(exitCode: code) }
      return
    }
    state.cells.finish(key: cell.key, failure.isInterruption ? .stopped : .failed)
    if failure.isInterruption { throw failure.underlying }
    show([failure.diagnostic])
    throw CommandError(
      "\(label) stopped at its command \(outcome.completed + 1) of \(outcome.total)",
      hint: "'edit \(index)' opens it, 'run \(index)' runs it again", exitCode: failure.exitCode)
  }

  /// Runs a command that belongs to no cell's lines.
  func run(line: String) throws {
    let script = try ScriptChecking.checked(Source(name: "", text: line), as: .inline).validated()
    state.console.note(state.console.messageStyle("> \(line)", .faint))
    let outcome = SessionRunner(state: state).run(script, cells: [state.cells.currentKey])
    if let failure = outcome.failures.first { throw failure.underlying }
  }

  // MARK: Which cells

  /// The places that a word of `run` means: `3`, `2..5`, `stale`, `all`, an id or a title.
  func indices(of word: String) throws -> [Int] {
    let cells = state.cells
    let last = cells.document.cells.count - 1
    if word == "all" { return runnable }
    if word == "stale" {
      // What a stale cell makes, others may need again: it is found while they run.
      return cells.stale
    }
    if let dots = word.range(of: "..") {
      let first = word[..<dots.lowerBound].isEmpty ? 0 : try place(String(word[..<dots.lowerBound]))
      let end =
        word[dots.upperBound...].isEmpty ? last : try place(String(word[dots.upperBound...]))
      guard first <= end else {
        throw CommandError("\(word) is empty", hint: "run \(end)..\(first)", argument: "cells")
      }
      return Array(first...end)
    }
    return [try place(word)]
  }

  /// The place of one cell.
  func place(_ word: String, argument: String = "cells") throws -> Int {
    let document = state.cells.document
    if let index = document.index(of: word) { return index }
    let names = document.cells.compactMap(\.id) + document.cells.map(\.title).filter { !$0.isEmpty }
    let last = document.cells.count - 1
    throw CommandError(
      "there is no cell '\(word)'",
      hint: Suggestion.didYouMean(word, among: names)
        ?? (last > 0
          ? "cells go from 1 to \(last); 'cells' lists them" : "'open FILE' brings some"),
      argument: argument)
  }

  /// All cells that hold something.
  var runnable: [Int] {
    state.cells.document.cells.indices.filter { !state.cells.document.cells[$0].text.isEmpty }
  }

  /// The first cell that has not run to its end as it is now.
  var next: Int? {
    let marks = state.cells.marks
    return runnable.first { marks[$0] != .done && marks[$0] != .stale }
  }
}
