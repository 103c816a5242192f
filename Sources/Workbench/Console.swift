import Foundation
import Glibc

/// The forms in which tables are printed.
enum TableForm: String, CaseIterable {
  case table, json, csv
}

/// Where the program's words go: results to standard output, everything else to standard error.
///
/// Results can be piped; progress, warnings and errors never mix with them.
final class Console {
  /// How results look: coloured only if standard output is a terminal.
  let style: Style
  /// How messages look: coloured only if standard error is a terminal.
  let messageStyle: Style
  /// Shows how long work goes on.
  let progress: ProgressReporter
  /// How tables are printed unless a command says otherwise.
  var form: TableForm
  /// Whether messages other than errors are suppressed.
  let isQuiet: Bool
  /// Set when the reader of standard output went away: the work goes on, the words are dropped.
  private(set) var isOutputClosed = false
  /// Takes down the results as they are written, while it is not nil.
  var copy: String?
  /// Whether results, notes and warnings are kept back, while something is only looked up.
  var isMuted = false

  init(
    color: Style.Choice = .auto, progress mode: ProgressMode = .auto, json: Bool = false,
    quiet: Bool = false
  ) {
    let environment = ProcessInfo.processInfo.environment
    style = Style(
      choice: color, isTerminal: TerminalDevice.isTerminal(STDOUT_FILENO), environment: environment)
    messageStyle = Style(
      choice: color, isTerminal: TerminalDevice.isTerminal(STDERR_FILENO), environment: environment)
    form = json ? .json : .table
    isQuiet = quiet
    progress = ProgressReporter(mode: quiet ? .none : mode, style: messageStyle)
  }

  /// Whether results are wanted as programs read them.
  var isForPrograms: Bool { form != .table }

  /// The width that tables may take; nil where standard output is no terminal.
  var width: Int? {
    TerminalDevice.isTerminal(STDOUT_FILENO)
      ? TerminalDevice.size(of: [STDOUT_FILENO]).columns : nil
  }

  /// Writes one result, with a newline.
  func print(_ text: String) { write(text + "\n") }

  /// Writes a result as it is.
  func write(_ text: String) {
    copy?.append(text)
    guard !isOutputClosed, !isMuted else { return }
    progress.paused {
      let bytes = Array(text.utf8)
      var start = 0
      while start < bytes.count {
        let written = bytes[start...].withUnsafeBytes {
          Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count)
        }
        if written > 0 {
          start += written
        } else if errno != EINTR && errno != EAGAIN {
          isOutputClosed = true
          return
        }
      }
    }
  }

  /// Writes a table in the form that was asked for.
  func print(_ table: Table, json: Bool = false, csv: Bool = false) {
    switch json ? .json : csv ? .csv : form {
    case .json: write(table.json)
    case .csv: write(table.csv)
    case .table: write(table.text(style: style, width: width))
    }
  }

  /// Tells the user something that is no result; silent with `--quiet`.
  func note(_ text: String) {
    guard !isQuiet, !isMuted else { return }
    message(text)
  }

  /// Warns of something that probably is not meant.
  func warn(_ text: String) {
    guard !isMuted else { return }
    message(messageStyle("warning: ", .warning) + text)
  }

  /// Writes to standard error, above a bar if there is one.
  func message(_ text: String) {
    progress.paused { TerminalDevice.write(text + "\n", to: STDERR_FILENO) }
  }
}
