import DSL
import Foundation
import Model

/// The prompt: reads commands from a person, runs them, survives every error.
@MainActor
struct Repl {
  private let state: WorkbenchState
  private let editor: any LineEditor
  private let renderer: Renderer
  private let checker: Checker
  private let completion: SessionCompletion

  init(state: WorkbenchState, editor: any LineEditor) {
    self.state = state
    self.editor = editor
    renderer = Renderer(usesColor: state.console.messageStyle.isColored, showsLocation: false)
    checker = Checker(vocabulary: CommandSet.table.vocabulary, rules: ProgramRules.prompt)
    let completion = SessionCompletion(state: state)
    self.completion = completion
    editor.setCompleter { line, cursor in completion.candidates(line: line, cursor: cursor) }
  }

  /// Runs until the user leaves.
  ///
  /// - Returns: the process's exit code.
  mutating func run() -> Int32 {
    state.console.note(
      "workbench \(ProgramVersion.number): 'help' shows the commands, 'help tour' the first steps")
    mentionCrash()
    while true {
      SignalCenter.clearInterrupts()
      state.journal.noteCells(state.cells.document)
      switch readEntry() {
      case .entry(let text):
        if let code = execute(text) { return code }
      case .nothing:
        continue
      case .end:
        state.console.message("")
        if mayLeave() {
          state.end()
          return 0
        }
      case .terminated(let signal):
        return 128 + signal
      }
    }
  }

  /// Says that there is something to recover in this folder.
  private func mentionCrash() {
    let crashed = RecordedSession.crashed(in: HomeFolder.journals, besides: state.journal.session)
    guard let session = crashed.first(where: { $0.place?.output == state.places.output.path })
    else { return }
    state.console.note(
      "the session of \(DateText.minute(session.modified)) was cut off here: 'recover' brings it back"
    )
  }

  private enum Entry {
    case entry(String)
    case nothing
    case end
    case terminated(Int32)
  }

  /// Reads one entry: a line, or several when a bracket, a quote or a `\` leaves it unfinished.
  private func readEntry() -> Entry {
    var text = ""
    while true {
      let prompt = text.isEmpty ? promptText : ReadlineEditor.continuationPrompt
      let (editor, completion) = (editor, completion)
      // Questions and the further lines of an entry have no hints.
      if text.isEmpty {
        editor.hinter = { completion.hint(line: $0, history: editor.history) }
      }
      let input = editor.readLine(prompt: prompt)
      editor.hinter = nil
      switch input {
      case .line(let line):
        if text.isEmpty, !editor.pendingLines.isEmpty {
          guard let block = pastedBlock(line) else { return .nothing }
          text = block
        } else {
          text += text.isEmpty ? line : "\n" + line
        }
        if Parser.isIncomplete(text) { continue }
        let isBlank = text.allSatisfy(\.isWhitespace)
        if !isBlank { editor.remember(text) }
        return isBlank ? .nothing : .entry(text)
      case .interrupted: return .nothing
      case .end: return text.isEmpty ? .end : .nothing
      case .terminated(let signal): return .terminated(signal)
      }
    }
  }

  /// A block of several lines that was pasted, if the user means to run it; it is checked as a whole
  /// before any of it runs.
  private func pastedBlock(_ first: String) -> String? {
    let block = ([first] + editor.pendingLines).joined(separator: "\n")
    editor.discardPendingLines()
    let count = block.split(separator: "\n").count { !$0.allSatisfy(\.isWhitespace) }
    guard count > 1 else { return block }
    while true {
      guard
        case .line(let answer) = editor.readLine(
          prompt: "\(count) lines pasted; run them? [Y/n/edit] ")
      else { return nil }
      switch answer.trimmingCharacters(in: .whitespaces).lowercased() {
      case "", "y", "yes": return block
      case "n", "no": return nil
      case "e", "edit":
        do {
          return try ExternalEditor.edit(block, named: "pasted.wb")
        } catch {
          state.console.message((error as? any CommandFailure)?.message ?? "\(error)")
          return nil
        }
      default: continue
      }
    }
  }

  /// `workbench b0·digits lr=0.1 * [2 stale]> `: the model, the data, and a star while there is something to save.
  private var promptText: String {
    var parts: [String] = []
    if let model = state.model { parts.append(model.shortName) }
    if let data = state.data { parts.append(data.source.name) }
    let place = parts.isEmpty ? "" : " " + parts.joined(separator: "·")
    let rate = state.values.changed.contains { $0.name == "lr" }
    let setting = rate ? " lr=\(state.values["lr"].text)" : ""
    let star = state.unsavedChanges > 0 ? " *" : ""
    let stale = state.cells.stale.count
    let style = state.console.style
    let marks = stale > 0 ? style(" [\(stale) stale]", .warning) : ""
    return style("workbench", .strong) + style(place, .accent) + setting + star + marks + "> "
  }

  /// Runs an entry; the exit code if it ends the program.
  private mutating func execute(_ text: String) -> Int32? {
    let source = Source(name: "<prompt>", text: text)
    let script = checker.check(source, as: .prompt, scope: state.cells.scope)
    if !script.diagnostics.isEmpty {
      state.console.message(renderer.render(script.diagnostics, in: source).trimmingNewline)
    }
    guard script.isSound else {
      recordFailure(text, script)
      editor.discardPendingLines()
      return nil
    }
    let outcome = TypedEntry(script, state).run()
    for failure in outcome.failures {
      if failure.isInterruption {
        state.console.message(failure.diagnostic.message)
        for note in failure.diagnostic.notes { state.console.message("  \(note.message)") }
        if let hint = failure.diagnostic.hint { state.console.message("  \(hint)") }
      } else {
        state.console.message(
          renderer.render(failure.diagnostic, in: source).trimmingNewline)
      }
      editor.discardPendingLines()
    }
    if let signal = SignalCenter.termination { return 128 + signal }
    if let code = outcome.stopCode, state.quitsWithoutAsking || mayLeave() {
      state.end()
      return code
    }
    return nil
  }

  /// A line that could not be understood is history too.
  private func recordFailure(_ text: String, _ script: CheckedScript) {
    state.journal.append(
      JournalRecord(
        number: state.journal.records.count + 1, time: Date(), typed: text, milliseconds: 0,
        error: script.diagnostics.first { $0.severity == .error }?.message,
        entry: JournalEntry(verb: "", text: text, status: .failed, effect: .look)))
  }

  /// Whether the user means to leave although something is not saved.
  private func mayLeave() -> Bool {
    let unsaved = state.unsavedChanges
    guard unsaved > 0, editor.isInteractive else { return true }
    return editor.confirm(
      "\(unsaved == 1 ? "a command is" : "\(unsaved) commands are") in no saved script "
        + "('save FILE.wb' writes one). Leave all the same?",
      standard: true)
  }
}

extension LoadedModel {
  /// The name as the prompt shows it: `b0`, `rw_s`.
  var shortName: String {
    let name = variant.name.replacing("tf_", with: "")
    return name.hasPrefix("efficientnetv2_")
      ? String(name.dropFirst("efficientnetv2_".count)) : name
  }
}
