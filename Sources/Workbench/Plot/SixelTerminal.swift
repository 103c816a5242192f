import Foundation
import Glibc

/// Whether the terminal shows sixel graphics, by its own word.
enum SixelTerminal {
  /// Asked at most once: the question takes as long as the terminal needs to answer it, and
  /// half a second where it never does. `WORKBENCH_SIXEL=off` answers no for it.
  static let isPresent: Bool = {
    let environment = ProcessInfo.processInfo.environment
    guard environment["WORKBENCH_SIXEL"] != "off", isatty(STDIN_FILENO) == 1,
      isatty(STDOUT_FILENO) == 1
    else { return false }
    return hasSixel(ask() ?? "")
  }()

  /// Whether the answer to the question for device attributes lists sixel graphics, number 4:
  /// `ESC [ ? 62 ; 4 ; 6 c`.
  static func hasSixel(_ answer: String) -> Bool {
    guard let start = answer.range(of: "\u{1B}[?"),
      let end = answer[start.upperBound...].firstIndex(of: "c")
    else { return false }
    let attributes = answer[start.upperBound..<end].split(separator: ";")
    // The first number is the kind of terminal; an old VT may itself be kind 4.
    return attributes.dropFirst().contains("4")
  }

  /// Sends the question and reads up to the answer's end.
  private static func ask() -> String? {
    var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    // What was typed ahead must not be taken for the answer, nor be lost.
    guard poll(&waiting, 1, 0) == 0 else { return nil }
    var modes = termios()
    guard tcgetattr(STDIN_FILENO, &modes) == 0 else { return nil }
    var raw = modes
    raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
    guard tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 else { return nil }
    defer { tcsetattr(STDIN_FILENO, TCSANOW, &modes) }
    TerminalDevice.write("\u{1B}[c", to: STDOUT_FILENO)
    var answer: [UInt8] = []
    while answer.count < 64, poll(&waiting, 1, 500) > 0 {
      var byte: UInt8 = 0
      guard read(STDIN_FILENO, &byte, 1) == 1 else { break }
      answer.append(byte)
      if byte == UInt8(ascii: "c") { break }
    }
    return String(decoding: answer, as: UTF8.self)
  }
}
