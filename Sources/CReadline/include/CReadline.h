// The terminal's C side: GNU Readline behind plain functions, and signals behind atomics.
//
// Swift cannot use readline's mutable globals and function-pointer hooks safely, and a signal
// handler must not run Swift code. Nothing here jumps over the caller's frames.
#pragma once

#include "CrashReport.h"
#include "TerminalSignals.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// ---- Line editing (main thread only: readline's state is global) ----

/// How reading a line ended.
typedef enum {
  WB_LINE_TEXT = 0,         // *line holds the text
  WB_LINE_END = 1,          // end of input (Ctrl-D on an empty line)
  WB_LINE_INTERRUPTED = 2,  // Ctrl-C: the line was cleared
  WB_LINE_TERMINATED = 3,   // SIGTERM or SIGHUP arrived
} wb_line_status;

/// Called when the user presses Tab. `line` is UTF-8, `cursor` a byte offset into it. The callee
/// answers through wb_complete_* while the call lasts.
typedef void (*wb_completer)(void *context, const char *line, size_t cursor);

/// Prepares readline once: own signal handling, bracketed paste, UTF-8 input, Tab bound to us.
void wb_readline_setup(const char *program_name);

/// Edits on another terminal than standard input and output; 0 on success, -1 with errno.
int wb_readline_use_descriptors(int input, int output);

/// Sets who answers Tab; NULL makes Tab do nothing.
void wb_readline_set_completer(wb_completer completer, void *context);

/// Reads one line, editing it on the terminal. `initial` (may be NULL) is put into the line to be
/// edited. On WB_LINE_TEXT `*line` is allocated: free it with wb_readline_free. Pasted text may
/// contain newlines.
wb_line_status wb_readline_read(const char *prompt, const char *initial, char **line);

/// The version of the library: "8.2".
const char *wb_readline_version(void);

/// Frees a line from wb_readline_read.
void wb_readline_free(char *line);

/// In a completer: replaces the bytes `from..<cursor` by `text` and moves the cursor behind it.
void wb_complete_replace(size_t from, const char *text);

/// In a completer: prints `text` (whole lines) below the line being edited, then shows the prompt
/// and the line again.
void wb_complete_show(const char *text);

/// In a completer: the bell, for "nothing to complete".
void wb_complete_bell(void);

/// In a completer: whether the previous key was Tab too.
int wb_complete_is_repeated(void);

// ---- Hints behind the line ----

/// Called when the line has been drawn with the cursor at its end and no further key is waiting.
/// The callee answers with wb_hint_show, or not at all, while the call lasts.
typedef void (*wb_hinter)(void *context, const char *line);

/// Sets who gives hints; NULL for none.
void wb_readline_set_hinter(wb_hinter hinter, void *context);

/// In a hinter: draws `shown`, which takes `width` columns of the cursor's row, and leaves the cursor
/// where it is. `taken` is what the right arrow, End or Ctrl-F insert; NULL for nothing.
void wb_hint_show(const char *shown, int width, const char *taken);

// ---- History in memory (files are the caller's business) ----

void wb_history_add(const char *entry);
void wb_history_clear(void);
void wb_history_limit(int entries);

// ---- Pseudo-terminals, for testing the editor against a real terminal ----

/// Opens a pseudo-terminal of the given size. Returns the master's descriptor or -1 (errno);
/// `*terminal` receives the other end.
int wb_pty_open(int columns, int rows, int *terminal);

/// Opens a pseudo-terminal of the given size and starts `arguments` (NULL-terminated, searched in
/// PATH) with it as controlling terminal. `environment` is NULL-terminated. Returns the master's
/// file descriptor or -1 (errno); `*child` receives the process id.
int wb_pty_spawn(
    char *const *arguments, char *const *environment, int columns, int rows, int *child);

#ifdef __cplusplus
}
#endif
