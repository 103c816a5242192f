// Signals as counters: the handlers only store to lock-free atomics and wake a pipe.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Installs handlers for SIGINT, SIGTERM, SIGHUP and SIGWINCH and ignores SIGPIPE. Idempotent.
/// Returns 0, or -1 with errno.
int wb_signals_install(void);

/// A file descriptor that becomes readable when a signal arrived; -1 before installation.
int wb_signals_wake_descriptor(void);

/// Empties the wake pipe.
void wb_signals_drain(void);

/// How many times Ctrl-C was pressed since the last wb_signals_clear_interrupts.
int wb_signals_interrupts(void);

/// Whether two presses came within `milliseconds` of one another since the last clear.
int wb_signals_double_interrupt(void);

/// Forgets the presses so far.
void wb_signals_clear_interrupts(void);

/// The first of SIGTERM and SIGHUP that arrived, or 0.
int wb_signals_termination(void);

/// Forgets a termination request (for tests).
void wb_signals_clear_termination(void);

/// How many times the window changed its size.
int wb_signals_resizes(void);

/// If not 0, a second Ctrl-C within the double-press time, or a second SIGTERM/SIGHUP, restores
/// the terminal and ends the process at once with status 128 + signal.
void wb_signals_exit_on_second(int enabled);

/// Remembers the terminal's present modes; they are put back by wb_signals_restore_terminal and
/// before any exit from a handler.
void wb_signals_save_terminal(int descriptor);

/// Puts back the remembered modes, if any. Async-signal-safe.
void wb_signals_restore_terminal(void);

#ifdef __cplusplus
}
#endif
