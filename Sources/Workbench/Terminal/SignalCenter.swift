import CReadline
import Glibc

/// Signals as state that is polled: Ctrl-C, termination requests and window changes.
///
/// The handlers are C and only store to atomics, so that nothing ever jumps out of Swift code.
/// Long work asks ``isInterrupted`` once per step; the line editor and the plot runner do so too.
enum SignalCenter {
  /// How hard the user pressed.
  enum Interrupt: Sendable, Equatable {
    case none
    /// One Ctrl-C: stop at the next good place.
    case once
    /// A second one within two seconds: stop now.
    case twice
  }

  /// Installs the handlers (SIGINT, SIGTERM, SIGHUP, SIGWINCH; SIGPIPE is ignored, so that a
  /// reader that goes away is an error of `write`). Calling it again does nothing.
  static func install() {
    guard wb_signals_install() == 0 else {
      preconditionFailure("signal handlers cannot be installed")
    }
  }

  /// In headless runs a second Ctrl-C or termination request ends the process at once, terminal
  /// restored, with status 128 + signal. At the prompt (`false`) the program decides.
  static func exitsOnSecondRequest(_ enabled: Bool) {
    wb_signals_exit_on_second(enabled ? 1 : 0)
  }

  /// Ctrl-C since the last ``clearInterrupts()``.
  static var interrupt: Interrupt {
    if wb_signals_double_interrupt() != 0 { return .twice }
    return wb_signals_interrupts() > 0 ? .once : .none
  }

  /// SIGTERM or SIGHUP, if one arrived. The exit status is 128 plus it.
  static var termination: Int32? {
    let number = wb_signals_termination()
    return number == 0 ? nil : number
  }

  /// Whether anyone asked to stop: Ctrl-C, SIGTERM or SIGHUP. Cheap enough to ask every batch.
  static var isInterrupted: Bool {
    wb_signals_interrupts() > 0 || wb_signals_termination() != 0
  }

  /// Forgets Ctrl-C; called when a command starts.
  static func clearInterrupts() {
    wb_signals_clear_interrupts()
  }

  /// A number that changes when the window changes its size.
  static var resizeCount: Int {
    Int(wb_signals_resizes())
  }

  /// Remembers the terminal's modes, to be put back by ``restoreTerminal()`` and by an exit from
  /// a handler.
  static func saveTerminal() {
    wb_signals_save_terminal(STDIN_FILENO)
  }

  /// Puts back the remembered modes; called on every way out of the program.
  static func restoreTerminal() {
    wb_signals_restore_terminal()
  }

  /// Forgets a termination request, for tests.
  static func clearTermination() {
    wb_signals_clear_termination()
  }

  /// A descriptor that becomes readable when a signal arrives; for `poll`.
  static var wakeDescriptor: Int32 { wb_signals_wake_descriptor() }

  /// Empties ``wakeDescriptor`` after it became readable.
  static func drainWake() { wb_signals_drain() }
}
