import Foundation
import Glibc

/// How reading a line ended.
enum LineInput: Sendable, Equatable {
  /// One line, without its newline.
  case line(String)
  /// Ctrl-C: the line was cleared; an unfinished entry is to be dropped.
  case interrupted
  /// Ctrl-D on an empty line, or the end of the file.
  case end
  /// SIGTERM or SIGHUP: leave.
  case terminated(signal: Int32)
}

/// One proposal for the word at the cursor.
struct CompletionCandidate: Sendable, Equatable {
  /// What is inserted in place of the word.
  var text: String
  /// One line of explanation, shown beside it in the list.
  var detail: String
  /// What follows if it is the only one: a space, nothing after `key=` or a folder.
  var suffix: String

  init(_ text: String, detail: String = "", suffix: String = " ") {
    self.text = text
    self.detail = detail
    self.suffix = suffix
  }
}

/// The proposals for a line and where the word they replace starts.
struct CompletionList: Sendable, Equatable {
  /// Offset in UTF-8 bytes of the first byte to be replaced; the cursor ends the range.
  var start: Int
  var candidates: [CompletionCandidate]

  init(start: Int, candidates: [CompletionCandidate]) {
    self.start = start
    self.candidates = candidates
  }
}

/// Answers Tab: the line so far and the cursor as a UTF-8 offset.
typealias Completer = @MainActor (_ line: String, _ cursor: Int) -> CompletionList

/// How a line would go on that is typed with the cursor at its end.
struct LineHint: Equatable {
  /// What is shown.
  var text: String
  /// Whether it can be taken over.
  var isText: Bool

  /// The hint as it fits into some columns: cut off with `…`; nil where there is no room.
  func fitted(to columns: Int) -> String? {
    guard columns > 1, !text.isEmpty else { return nil }
    return text.truncated(to: columns)
  }
}

/// Gives the hint for a line; nil for none.
typealias Hinter = @MainActor (_ line: String) -> LineHint?

/// Where commands come from: a person at a terminal, or text on standard input.
///
/// An editor belongs to the main thread, which owns the terminal.
@MainActor
protocol LineEditor: AnyObject {
  /// Whether a person types here.
  var isInteractive: Bool { get }

  /// Lines of a pasted block that ``readLine(prompt:)`` will return next without asking.
  var pendingLines: [String] { get }

  /// Reads the next line.
  ///
  /// - Parameter prompt: shown by an interactive editor; may hold colour sequences.
  func readLine(prompt: String) -> LineInput

  /// Reads a line that starts with `initial`, to be edited (`edit 3`).
  func readLine(prompt: String, initial: String) -> LineInput

  /// Forgets the rest of a pasted block, after one of its lines failed.
  func discardPendingLines()

  /// Remembers a whole entry, of one line or several, in memory and on disk at once. Entries that
  /// start with a space and repetitions of the last one are not remembered.
  func remember(_ entry: String)

  /// The remembered entries, oldest first.
  var history: [String] { get }

  /// Who says how the line that is typed would go on; nil shows nothing. Only a terminal that can
  /// show it faintly asks.
  var hinter: Hinter? { get set }

  /// Sets who answers Tab.
  func setCompleter(_ completer: @escaping Completer)
}

extension LineEditor {
  /// What is shown while an entry is unfinished: an open bracket, a line that ends in `\`.
  static var continuationPrompt: String { "...> " }

  /// Asks a yes-or-no question; Enter, Ctrl-C and the end of the input give `standard`, which is
  /// also the answer where nobody can be asked.
  func confirm(_ question: String, standard: Bool = false) -> Bool {
    guard isInteractive else { return standard }
    let choices = standard ? "[Y/n]" : "[y/N]"
    while true {
      guard case .line(let line) = readLine(prompt: "\(question) \(choices) ") else {
        return standard
      }
      switch line.lowercased().trimmingCharacters(in: .whitespaces) {
      case "": return standard
      case "y", "yes": return true
      case "n", "no": return false
      default: continue
      }
    }
  }
}

/// Makes the editor that fits standard input: GNU Readline on a terminal, else plain lines.
///
/// - Parameter style: how hints look; without colour there are none.
@MainActor
func makeLineEditor(historyFile: URL?, style: Style) -> any LineEditor {
  SignalCenter.install()
  if TerminalDevice.isTerminal(STDIN_FILENO) && TerminalDevice.isTerminal(STDOUT_FILENO) {
    // Even where colours are demanded, a terminal that cannot move its cursor shows no hints.
    let isDumb = ["", "dumb"].contains(ProcessInfo.processInfo.environment["TERM"] ?? "")
    let style = isDumb ? .plain : style
    return ReadlineEditor(history: HistoryFile(url: historyFile), style: style)
  }
  return PlainLineReader()
}
