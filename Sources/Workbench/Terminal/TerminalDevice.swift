import Foundation
import Glibc

/// What is known about the terminal around the process. Nothing here is cached: windows change.
enum TerminalDevice {
  /// A size in character cells.
  struct Size: Sendable, Equatable {
    var columns: Int
    var rows: Int

    /// The size assumed where nothing better is known.
    static let standard = Size(columns: 80, rows: 24)
  }

  /// Whether a file descriptor is a terminal.
  static func isTerminal(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1
  }

  /// The window's size: asked of the terminal, else from `COLUMNS` and `LINES`, else 80 by 24.
  static func size(
    of descriptors: [Int32] = [STDOUT_FILENO, STDERR_FILENO, STDIN_FILENO],
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Size {
    for descriptor in descriptors {
      var window = winsize()
      if ioctl(descriptor, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 {
        return Size(columns: Int(window.ws_col), rows: Int(window.ws_row))
      }
    }
    func number(_ key: String) -> Int? {
      environment[key].flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    }
    return Size(
      columns: number("COLUMNS") ?? Size.standard.columns,
      rows: number("LINES") ?? Size.standard.rows)
  }

  /// Whether text beyond ASCII may be written: yes unless the locale names another character set.
  /// (Containers set no locale at all, while the terminal outside them shows UTF-8.)
  static func showsUnicode(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> Bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy
      .compactMap { environment[$0] }.first { !$0.isEmpty }
    guard let locale, let dot = locale.firstIndex(of: ".") else { return true }
    let charset = locale[dot...].lowercased().filter { $0.isLetter || $0.isNumber }
    return charset.hasPrefix("utf8")
  }

  /// Writes all of a text to a descriptor; what cannot be written (a closed pipe) is dropped.
  static func write(_ text: String, to descriptor: Int32) {
    var text = text
    text.withUTF8 { bytes in
      guard var base = bytes.baseAddress else { return }
      var left = bytes.count
      while left > 0 {
        let written = Glibc.write(descriptor, base, left)
        if written > 0 {
          base += written
          left -= written
        } else if errno == EAGAIN {
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&waiting, 1, 1000)
        } else if errno != EINTR {
          return
        }
      }
    }
  }
}
