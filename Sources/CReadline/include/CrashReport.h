// What is left behind when the program itself goes wrong: a prepared file, and exit status 1.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Installs handlers for the signals of a trap or a bad access. They write the prepared file, say so
/// on standard error and end the process with status 1. Idempotent; not under a debugger's handlers.
void wb_crash_install(void);

/// Makes a text ready to be written to a file by the handlers; null or longer than a megabyte for
/// none. The text and the path are copied.
void wb_crash_prepare(const char *path, const char *text, size_t length);

#ifdef __cplusplus
}
#endif
