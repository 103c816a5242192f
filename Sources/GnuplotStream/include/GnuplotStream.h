// gnuplot-iostream behind plain functions that neither throw nor block for ever.
//
// A stream is one gnuplot process: in a session of its own (Ctrl-C at our terminal does not reach
// it), holding none of our file descriptors, its standard output and error collected while text is
// sent, ended after a time limit or when the caller's question "stop?" is answered with yes.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gnuplot_stream gnuplot_stream;

/// How the process ended.
typedef enum {
  GNUPLOT_EXITED = 0,       // by itself; code = exit status
  GNUPLOT_KILLED = 1,       // by a signal that we did not send; code = signal
  GNUPLOT_TIMED_OUT = 2,    // time limit reached, killed by us
  GNUPLOT_INTERRUPTED = 3,  // the caller asked to stop, killed by us
  GNUPLOT_FLOODED = 4,      // printed more than anyone can want, killed by us
  GNUPLOT_BROKEN = 5,       // our side failed; see gnuplot_stream_message
} gnuplot_end;

/// Asked about fifty times a second while waiting; not 0 = stop. May be NULL.
typedef int (*gnuplot_stop)(void *context);

/// Starts a process.
///
/// `arguments` is NULL-terminated, its first element searched in PATH; no shell is involved.
/// `directory` (may be NULL) becomes the working directory. Returns NULL on failure: `*error_number`
/// has errno (ENOENT: no such program) and gnuplot_stream_message the words.
gnuplot_stream *gnuplot_stream_open(
    const char *const *arguments, const char *directory, double timeout_seconds, gnuplot_stop stop,
    void *context, int *error_number);

/// Sends text. Returns 0, or -1 once the process takes no more (gnuplot_stream_close says why).
int gnuplot_stream_send(gnuplot_stream *stream, const char *text, size_t count);

/// Ends the input and waits for the process. `*code` as told at gnuplot_end. What was printed can
/// be read until gnuplot_stream_free.
gnuplot_end gnuplot_stream_close(gnuplot_stream *stream, int *code);

/// What the process wrote to its standard output and error so far.
const char *gnuplot_stream_output(const gnuplot_stream *stream, size_t *count);
const char *gnuplot_stream_errors(const gnuplot_stream *stream, size_t *count);

/// Frees everything; kills the process if it still runs. NULL is allowed.
void gnuplot_stream_free(gnuplot_stream *stream);

/// The last failure of this thread, in words; empty if none.
const char *gnuplot_stream_message(void);

#ifdef __cplusplus
}
#endif
