import CReadline
import Foundation
import Glibc

/// The line editor of the prompt: GNU Readline with history, completion and multi-line paste.
///
/// Readline's state is global to the process, so there is one editor at a time.
@MainActor
final class ReadlineEditor: LineEditor {
  private let file: HistoryFile
  private let output: Int32
  private var queue: [String] = []
  private var completer: Completer?
  private let style: Style
  /// The columns that the prompt takes.
  private var promptWidth = 0
  var hinter: Hinter?
  private(set) var history: [String] = []

  /// Sets readline up and loads the history.
  ///
  /// - Parameters:
  ///   - input: the terminal to read from.
  ///   - output: the terminal to draw on.
  ///   - style: how hints look; without colour there are none.
  init(
    history file: HistoryFile, input: Int32 = STDIN_FILENO, output: Int32 = STDOUT_FILENO,
    style: Style = .plain
  ) {
    self.file = file
    self.output = output
    self.style = style
    SignalCenter.install()
    _ = wb_readline_use_descriptors(input, output)
    wb_readline_setup("workbench")
    wb_history_clear()
    wb_history_limit(Int32(clamping: file.limit))
    history = file.load()
    for entry in history { wb_history_add(entry) }
    wb_readline_set_completer(
      { context, line, cursor in
        guard let context, let line else { return }
        let address = UInt(bitPattern: context)
        let text = String(cString: line)
        MainActor.assumeIsolated {
          guard let context = UnsafeMutableRawPointer(bitPattern: address) else { return }
          // SAFETY: the context is the editor, which takes itself out again in `deinit`; readline
          // calls back only inside `readLine`, while the editor is alive.
          let editor = Unmanaged<ReadlineEditor>.fromOpaque(context).takeUnretainedValue()
          editor.complete(text, cursor: cursor)
        }
      }, Unmanaged.passUnretained(self).toOpaque())
    guard style.isColored else { return }
    wb_readline_set_hinter(
      { context, line in
        guard let context, let line else { return }
        let address = UInt(bitPattern: context)
        let text = String(cString: line)
        MainActor.assumeIsolated {
          guard let context = UnsafeMutableRawPointer(bitPattern: address) else { return }
          // SAFETY: as for the completer.
          Unmanaged<ReadlineEditor>.fromOpaque(context).takeUnretainedValue().hint(text)
        }
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  isolated deinit {
    wb_readline_set_completer(nil, nil)
    wb_readline_set_hinter(nil, nil)
  }

  var isInteractive: Bool { true }
  var pendingLines: [String] { queue }

  func discardPendingLines() {
    queue.removeAll()
  }

  func setCompleter(_ completer: @escaping Completer) {
    self.completer = completer
  }

  func remember(_ entry: String) {
    guard !entry.isEmpty, entry.first != " ", entry != history.last else { return }
    history.append(entry)
    wb_history_add(entry)
    file.append(entry)
  }

  func readLine(prompt: String) -> LineInput {
    readLine(prompt: prompt, initial: "")
  }

  func readLine(prompt: String, initial: String) -> LineInput {
    if initial.isEmpty, !queue.isEmpty { return .line(queue.removeFirst()) }
    var pointer: UnsafeMutablePointer<CChar>?
    promptWidth = prompt.replacing(/\u{1B}\[[0-9;]*m/, with: "").displayWidth
    let status = wb_readline_read(
      Self.guarded(prompt), initial.isEmpty ? nil : initial, &pointer)
    switch status {
    case WB_LINE_INTERRUPTED:
      queue.removeAll()
      return .interrupted
    case WB_LINE_TERMINATED:
      return .terminated(signal: SignalCenter.termination ?? SIGTERM)
    case WB_LINE_END:
      return .end
    default:
      guard let pointer else { return .end }
      defer { wb_readline_free(pointer) }
      var lines = Self.lines(of: String(cString: pointer))
      let first = lines.removeFirst()
      queue += lines
      return .line(first)
    }
  }

  /// The lines of a pasted block; a newline at its very end starts no further line.
  static func lines(of text: String) -> [String] {
    var lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
    while lines.count > 1, lines.last == "" { lines.removeLast() }
    return lines
  }

  /// Escape sequences between the marks that tell readline "this takes no room".
  static func guarded(_ prompt: String) -> String {
    var out = ""
    var inside = false
    for scalar in prompt.unicodeScalars {
      if scalar == "\u{1B}" {
        out += "\u{01}\u{1B}"
        inside = true
        continue
      }
      out.unicodeScalars.append(scalar)
      if inside && scalar != "[" && "\u{40}"..."\u{7E}" ~= scalar {
        out += "\u{02}"
        inside = false
      }
    }
    return inside ? out + "\u{02}" : out
  }

  /// Shows how the line would go on, if that fits on its row.
  private func hint(_ line: String) {
    let used = promptWidth + line.displayWidth
    // The last column stays free: a terminal that stands on it may go to the next row.
    let room = TerminalDevice.size(of: [output]).columns - 1 - used
    guard let hint = hinter?(line), let shown = hint.fitted(to: room) else { return }
    wb_hint_show(
      style(shown, .faint), Int32(shown.displayWidth), hint.isText ? hint.text : nil)
  }

  private func complete(_ line: String, cursor: Int) {
    guard let list = completer?(line, cursor) else { return }
    let typed = String(decoding: Array(line.utf8)[..<cursor].dropFirst(list.start), as: UTF8.self)
    switch CompletionMenu(list.candidates, typed: typed).action {
    case .nothing:
      wb_complete_bell()
    case .insert(let text):
      wb_complete_replace(list.start, text)
    case .choose(let prefix):
      wb_complete_replace(list.start, prefix)
    case .show(let candidates):
      let size = TerminalDevice.size(of: [output])
      wb_complete_show(
        CompletionMenu.listing(candidates, columns: size.columns, rows: max(4, size.rows - 4)))
    }
  }
}
