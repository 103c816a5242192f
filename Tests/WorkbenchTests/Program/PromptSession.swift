import CReadline
import Foundation
import Glibc
import Testing

/// The built program on a pseudo-terminal, with a real readline.
final class PromptSession {
  private let master: Int32
  /// The program's process.
  let child: Int32
  /// What came and was not yet expected, without escape sequences.
  private var unread = ""
  /// Everything that came, escape sequences included.
  private(set) var transcript = ""

  init(
    in folder: URL, columns: Int32 = 100, rows: Int32 = 30,
    environment extra: [String: String] = [:]
  ) throws {
    var environment = BuiltProgram.environment(home: folder, adding: extra)
    environment["TERM"] = extra["TERM"] ?? "xterm"
    let words = ["/bin/sh", "-c", "cd \"$0\" && exec \"$1\"", folder.path, BuiltProgram.url.path]
    var arguments = words.map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { (arguments + variables).forEach { free($0) } }
    var child: Int32 = 0
    master = wb_pty_spawn(&arguments, &variables, columns, rows, &child)
    self.child = child
    try #require(master >= 0, "no pseudo-terminal")
  }

  func type(_ text: String) {
    var bytes = Array(text.utf8)
    _ = write(master, &bytes, bytes.count)
  }

  /// Reads until `wanted` comes, behind what was expected before; at most two minutes.
  ///
  /// - Returns: what came before it.
  @discardableResult
  func expect(_ wanted: String, line: Int = #line) -> String {
    let deadline = Date().addingTimeInterval(120)
    while Date() < deadline {
      if let range = unread.range(of: wanted) {
        let before = String(unread[..<range.lowerBound])
        unread = String(unread[range.upperBound...])
        return before
      }
      guard read() else { break }
    }
    Issue.record("line \(line): '\(wanted)' never came; the end was: \(unread.suffix(1500))")
    return unread
  }

  /// Reads for a time, or until something has happened, at most two minutes.
  ///
  /// - Returns: whether it has happened.
  @discardableResult
  func watch(seconds: Double = 120, until condition: () -> Bool = { false }) -> Bool {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
      if condition() { return true }
      guard read(milliseconds: 10) else { return condition() }
    }
    return condition()
  }

  /// What came, without escape sequences.
  var text: String { transcript.replacing(/\u{1B}\[[0-9;?]*[a-zA-Z]/, with: "") }

  /// Waits for output; false at the end of the program.
  private func read(milliseconds: Int32 = 500) -> Bool {
    var watched = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
    guard poll(&watched, 1, milliseconds) > 0 else { return true }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(master, &bytes, bytes.count)
    guard count > 0 else { return false }
    let text = String(decoding: bytes[..<count], as: UTF8.self)
    transcript += text
    unread += text.replacing(/\u{1B}\[[0-9;?]*[a-zA-Z]/, with: "")
    return true
  }

  /// Ends the program as a crash would: without a chance to do anything.
  func crash() {
    kill(child, SIGKILL)
    waitpid(child, nil, 0)
    close(master)
  }

  /// Waits for the end of the program, at most a minute.
  func finish() -> Int32 {
    let deadline = Date().addingTimeInterval(60)
    while Date() < deadline, read() {}
    if Date() >= deadline {
      Issue.record("the program never ended; the end was: \(unread.suffix(1500))")
      kill(child, SIGKILL)
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    close(master)
    return (status >> 8) & 0xFF
  }
}
