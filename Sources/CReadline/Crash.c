#define _GNU_SOURCE
#include "CrashReport.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "TerminalSignals.h"

#define LONGEST_TEXT (1 << 20)

static char crash_path[PATH_MAX];
static char crash_text[LONGEST_TEXT];
static atomic_size_t crash_length;
static atomic_int is_crashing;
static int installed;

static void put(int descriptor, const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(descriptor, bytes, count);
    if (written <= 0) return;
    bytes += written;
    count -= (size_t)written;
  }
}

static void say(const char *words) { put(STDERR_FILENO, words, strlen(words)); }

static void handle(int number) {
  (void)number;
  // A second crash, here or on another thread, must not write over the first.
  if (atomic_exchange(&is_crashing, 1) != 0) _exit(1);
  wb_signals_restore_terminal();
  say("\nerror: the program itself went wrong");
  size_t length = atomic_load(&crash_length);
  if (length > 0) {
    int file = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file >= 0) {
      put(file, crash_text, length);
      close(file);
      say("; ");
      say(crash_path);
      say(" has the commands up to it");
    }
  }
  say("\n");
  _exit(1);
}

void wb_crash_install(void) {
  if (installed) return;
  installed = 1;
  // A stack of its own: the program's may be what overflowed.
  stack_t stack;
  memset(&stack, 0, sizeof stack);
  stack.ss_size = 64 * 1024;
  stack.ss_sp = malloc(stack.ss_size);
  if (stack.ss_sp != NULL) sigaltstack(&stack, NULL);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_ONSTACK;
  const int numbers[] = {SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
  for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
    // The Swift runtime's own handler, where it is turned on, would only print a backtrace.
    sigaction(numbers[index], &action, NULL);
  }
}

void wb_crash_prepare(const char *path, const char *text, size_t length) {
  atomic_store(&crash_length, 0);
  if (path == NULL || text == NULL || length > LONGEST_TEXT || strlen(path) >= PATH_MAX) return;
  memcpy(crash_path, path, strlen(path) + 1);
  memcpy(crash_text, text, length);
  atomic_store(&crash_length, length);
}
