import Foundation
import Glibc
import Synchronization

/// How progress is shown.
enum ProgressMode: String, Sendable, CaseIterable {
  /// A bar on a terminal, else plain lines.
  case auto
  /// One line, redrawn in place.
  case bar
  /// A line now and then, for logs.
  case plain
  /// JSON Lines, for programs.
  case json
  case none

  /// What `auto` means here: a bar needs standard error to be a terminal that can move its cursor,
  /// and no continuous-integration log behind it.
  func resolved(isTerminal: Bool, environment: [String: String]) -> ProgressMode {
    guard self == .auto else { return self }
    let term = environment["TERM"] ?? ""
    let isLog = !(environment["CI"] ?? "").isEmpty
    return isTerminal && !term.isEmpty && term != "dumb" && !isLog ? .bar : .plain
  }
}

/// Shows how far a long task has come, on standard error, without ever spoiling a log.
///
/// Safe to call from any thread. One task at a time: ``begin(total:label:)``, ``update(_:detail:)``
/// as often as wanted, ``finish()``.
final class ProgressReporter: Sendable {
  /// What the reporter needs from the world; tests bring their own.
  struct Surroundings: Sendable {
    var write: @Sendable (String) -> Void
    /// Seconds on a clock that never goes back.
    var now: @Sendable () -> Double
    /// Seconds since 1970, for events.
    var date: @Sendable () -> Double
    var columns: @Sendable () -> Int
    /// Changes when the window does, so that the width is asked for only then.
    var resizes: @Sendable () -> Int

    /// Standard error, the system's clocks, the window as it is.
    static let standard = Surroundings(
      write: { TerminalDevice.write($0, to: STDERR_FILENO) },
      now: { Double(DispatchTime.now().uptimeNanoseconds) * 1e-9 },
      date: { Date().timeIntervalSince1970 },
      columns: { TerminalDevice.size(of: [STDERR_FILENO]).columns },
      resizes: { SignalCenter.resizeCount })
  }

  private struct State {
    var label = ""
    var total = 0
    var done = 0
    var detail = ""
    var isActive = false
    var started = 0.0
    var lastDrawn = -Double.infinity
    var lastLine = 0.0
    var barShown = false
    var columns = 0
    var resizes = -1
  }

  /// The bar is redrawn at most this often (seconds).
  private static let barInterval = 0.1
  /// Where there is no bar, silence lasts at most this long (seconds).
  private static let aliveInterval = 30.0

  /// The mode in force, never `auto`.
  let mode: ProgressMode
  private let style: Style
  private let showsUnicode: Bool
  private let surroundings: Surroundings
  private let state = Mutex(State())

  init(
    mode: ProgressMode = .auto, style: Style = .plain,
    environment: [String: String] = ProcessInfo.processInfo.environment,
    isTerminal: Bool = TerminalDevice.isTerminal(STDERR_FILENO),
    surroundings: Surroundings = .standard
  ) {
    self.mode = mode.resolved(isTerminal: isTerminal, environment: environment)
    self.style = style
    self.showsUnicode = TerminalDevice.showsUnicode(environment: environment)
    self.surroundings = surroundings
  }

  /// Starts a task of `total` steps (0 = unknown).
  func begin(total: Int, label: String) {
    state.withLock { state in
      let now = surroundings.now()
      state.label = label
      state.total = max(0, total)
      state.done = 0
      state.detail = ""
      state.isActive = true
      state.started = now
      state.lastLine = now
      state.lastDrawn = -.infinity
      draw(&state, now: now)
    }
  }

  /// Says how many steps are done, and what is going on (`loss 0.812`).
  func update(_ done: Int, detail: String = "") {
    state.withLock { state in
      guard state.isActive else { return }
      state.done = done
      state.detail = detail
      let now = surroundings.now()
      switch mode {
      case .bar: draw(&state, now: now)
      case .plain where now - state.lastLine >= Self.aliveInterval:
        state.lastLine = now
        surroundings.write(status(of: state, now: now) + "\n")
      case .json where now - state.lastLine >= Self.aliveInterval:
        state.lastLine = now
        surroundings.write(aliveEvent(state) + "\n")
      default: break
      }
    }
  }

  /// Prints a line above the bar (the row of an epoch, a warning).
  func message(_ line: String) {
    state.withLock { state in
      state.lastLine = surroundings.now()
      switch mode {
      case .bar:
        surroundings.write(erasure(&state) + line + "\n")
        if state.isActive {
          state.lastDrawn = -.infinity
          draw(&state, now: surroundings.now())
        }
      case .json: surroundings.write(eventLine("message", ["text": .text(line)]) + "\n")
      case .none: break
      default: surroundings.write(line + "\n")
      }
    }
  }

  /// Reports something that happened to programs that listen; only the `json` mode shows it.
  func event(_ name: String, _ fields: [String: ReportValue]) {
    guard mode == .json else { return }
    state.withLock { state in
      state.lastLine = surroundings.now()
      surroundings.write(eventLine(name, fields) + "\n")
    }
  }

  /// Ends the task and clears the bar.
  func finish() {
    state.withLock { state in
      guard state.isActive else { return }
      state.isActive = false
      surroundings.write(erasure(&state))
    }
  }

  /// Takes the bar away for as long as `body` writes to the terminal itself.
  func paused<Result>(_ body: () throws -> Result) rethrows -> Result {
    state.withLock { surroundings.write(erasure(&$0)) }
    defer {
      state.withLock { state in
        state.lastDrawn = -.infinity
        if state.isActive { draw(&state, now: surroundings.now()) }
      }
    }
    return try body()
  }

  // MARK: Drawing

  private func erasure(_ state: inout State) -> String {
    defer { state.barShown = false }
    return state.barShown ? "\r\u{1B}[K" : ""
  }

  private func draw(_ state: inout State, now: Double) {
    guard mode == .bar, now - state.lastDrawn >= Self.barInterval else { return }
    state.lastDrawn = now
    let resizes = surroundings.resizes()
    if resizes != state.resizes {
      state.resizes = resizes
      state.columns = surroundings.columns()
    }
    state.barShown = true
    surroundings.write("\r\u{1B}[K" + barLine(state, now: now))
  }

  /// `label  62/140 ███████▍       44 %  loss 0.812  1m20s left`, cut to the window.
  private func barLine(_ state: State, now: Double) -> String {
    let room = max(10, state.columns - 1)
    let label = state.label.truncated(to: max(8, room / 3))
    guard state.total > 0 else {
      let time = NumberText.duration(now - state.started)
      let parts = [label, "\(state.done)", state.detail, time].filter { !$0.isEmpty }
      return parts.joined(separator: "  ").truncated(to: room)
    }
    let fraction = min(1, max(0, Double(state.done) / Double(state.total)))
    let total = String(state.total)
    let count = String(state.done).padded(to: total.count, .right) + "/" + total
    let percent = "\(Int(fraction * 100))".padded(to: 3, .right) + " %"
    let left = remaining(state, now: now).map { NumberText.duration($0) + " left" } ?? ""
    let text = [percent, state.detail, left].filter { !$0.isEmpty }.joined(separator: "  ")
    let width = min(30, room - label.displayWidth - count.count - text.displayWidth - 6)
    guard width >= 5 else { return "\(label) \(count)  \(text)".truncated(to: room) }
    return "\(style(label, .strong)) \(count) \(bar(fraction, width))  \(text)"
  }

  private func bar(_ fraction: Double, _ width: Int) -> String {
    if !showsUnicode {
      let full = Int(fraction * Double(width))
      return "[" + String(repeating: "#", count: full)
        + String(repeating: ".", count: width - full) + "]"
    }
    let eighths = Int(fraction * Double(width) * 8)
    let partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8]
    let filled = String(repeating: "█", count: eighths / 8) + partial
    return "▕" + style(filled, .accent)
      + String(repeating: " ", count: width - eighths / 8 - (partial.isEmpty ? 0 : 1)) + "▏"
  }

  private func remaining(_ state: State, now: Double) -> Double? {
    guard state.done > 0, state.total >= state.done else { return nil }
    return (now - state.started) / Double(state.done) * Double(state.total - state.done)
  }

  /// The line of the plain mode: `train 62/140 (44 %)  loss 0.812  1m20s left`.
  private func status(of state: State, now: Double) -> String {
    let share = state.total > 0 ? "/\(state.total) (\(100 * state.done / state.total) %)" : ""
    let left = remaining(state, now: now).map { NumberText.duration($0) + " left" } ?? ""
    return ["\(state.label) \(state.done)\(share)", state.detail, left]
      .filter { !$0.isEmpty }.joined(separator: "  ")
  }

  private func aliveEvent(_ state: State) -> String {
    eventLine(
      "alive",
      [
        "label": .text(state.label), "done": .integer(state.done),
        "total": state.total > 0 ? .integer(state.total) : .missing,
        "detail": .text(state.detail),
      ])
  }

  private func eventLine(_ name: String, _ fields: [String: ReportValue]) -> String {
    var fields = fields
    fields["ev"] = .text(name)
    fields["t"] = .real((surroundings.date() * 1000).rounded() / 1000)
    return ReportValue.record(fields).json
  }
}
