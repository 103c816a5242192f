import Glibc

/// Lines from a descriptor that is no terminal: no prompt, no echo, no history on disk.
@MainActor
final class PlainLineReader: LineEditor {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var atEnd = false
  private(set) var history: [String] = []

  /// - Parameter descriptor: standard input unless told otherwise; not closed here.
  init(descriptor: Int32 = STDIN_FILENO) {
    self.descriptor = descriptor
  }

  var isInteractive: Bool { false }
  var pendingLines: [String] { [] }
  func discardPendingLines() {}
  var hinter: Hinter?
  func setCompleter(_ completer: @escaping Completer) {}

  func remember(_ entry: String) {
    history.append(entry)
  }

  func readLine(prompt: String, initial: String) -> LineInput {
    readLine(prompt: prompt)
  }

  func readLine(prompt: String) -> LineInput {
    while true {
      if let signal = SignalCenter.termination { return .terminated(signal: signal) }
      if let newline = buffer.firstIndex(of: UInt8(ascii: "\n")) {
        let line = text(buffer[..<newline])
        buffer.removeSubrange(...newline)
        return .line(line)
      }
      if atEnd {
        guard !buffer.isEmpty else { return .end }
        defer { buffer.removeAll() }
        return .line(text(buffer[...]))
      }
      if let ended = fill() { return ended }
    }
  }

  /// Windows line ends are accepted; bytes that are no UTF-8 become U+FFFD, which no command has.
  private func text(_ bytes: ArraySlice<UInt8>) -> String {
    let bytes = bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Waits for more bytes or a signal, whichever is first.
  private func fill() -> LineInput? {
    var watched = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: SignalCenter.wakeDescriptor, events: Int16(POLLIN), revents: 0),
    ]
    let ready = poll(&watched, 2, -1)
    if SignalCenter.termination != nil { return nil }
    if SignalCenter.interrupt != .none {
      SignalCenter.clearInterrupts()
      return .interrupted
    }
    if watched[1].revents != 0 { SignalCenter.drainWake() }
    if ready < 0 {
      if errno != EINTR { atEnd = true }
      return nil
    }
    guard watched[0].revents != 0 else { return nil }
    var chunk = [UInt8](repeating: 0, count: 16384)
    let count = read(descriptor, &chunk, chunk.count)
    if count > 0 {
      buffer += chunk[..<count]
    } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
      atEnd = true
    }
    return nil
  }
}
