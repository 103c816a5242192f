#define _GNU_SOURCE
#include "TerminalSignals.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

// Two presses within this time are "really stop now".
#define DOUBLE_PRESS_MILLISECONDS 2000

static atomic_int interrupts;
static atomic_int double_interrupt;
static atomic_llong last_interrupt;  // milliseconds, monotonic; 0 = none
static atomic_int termination;
static atomic_int resizes;
static atomic_int exit_on_second;
static atomic_int saved_terminal = -1;  // its descriptor
static struct termios saved_modes;
static int wake_pipe[2] = {-1, -1};
static int installed;

static long long now_milliseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void wake(void) {
  char byte = 0;
  if (wake_pipe[1] >= 0) {
    ssize_t ignored = write(wake_pipe[1], &byte, 1);  // full pipe: it is readable already
    (void)ignored;
  }
}

static void leave_now(int number) {
  wb_signals_restore_terminal();
  _exit(128 + number);
}

static void handle(int number) {
  int saved_errno = errno;
  switch (number) {
    case SIGINT: {
      long long now = now_milliseconds();
      long long before = atomic_exchange(&last_interrupt, now);
      atomic_fetch_add(&interrupts, 1);
      if (before != 0 && now - before <= DOUBLE_PRESS_MILLISECONDS) {
        atomic_store(&double_interrupt, 1);
        if (atomic_load(&exit_on_second)) leave_now(number);
      }
      break;
    }
    case SIGWINCH:
      atomic_fetch_add(&resizes, 1);
      break;
    default: {
      int expected = 0;
      if (!atomic_compare_exchange_strong(&termination, &expected, number) &&
          atomic_load(&exit_on_second)) {
        leave_now(number);
      }
      break;
    }
  }
  wake();
  errno = saved_errno;
}

int wb_signals_install(void) {
  if (installed) return 0;
  if (pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // waiting happens in poll, which is never restarted
  const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
  sigset_t wanted;
  sigemptyset(&wanted);
  for (size_t index = 0; index < sizeof numbers / sizeof *numbers; index++) {
    struct sigaction before;
    if (sigaction(numbers[index], NULL, &before) != 0) return -1;
    // What nohup or a shell's `&` had us ignore stays ignored.
    if (before.sa_handler == SIG_IGN) continue;
    if (sigaction(numbers[index], &action, NULL) != 0) return -1;
    sigaddset(&wanted, numbers[index]);
  }
  // A parent may have blocked signals in the thread that started us; blocks are inherited.
  pthread_sigmask(SIG_UNBLOCK, &wanted, NULL);
  signal(SIGPIPE, SIG_IGN);
  installed = 1;
  return 0;
}

int wb_signals_wake_descriptor(void) { return wake_pipe[0]; }

void wb_signals_drain(void) {
  char bytes[64];
  while (wake_pipe[0] >= 0 && read(wake_pipe[0], bytes, sizeof bytes) > 0) {
  }
}

int wb_signals_interrupts(void) { return atomic_load(&interrupts); }

int wb_signals_double_interrupt(void) { return atomic_load(&double_interrupt); }

void wb_signals_clear_interrupts(void) {
  atomic_store(&interrupts, 0);
  atomic_store(&double_interrupt, 0);
  atomic_store(&last_interrupt, 0);
}

int wb_signals_termination(void) { return atomic_load(&termination); }

void wb_signals_clear_termination(void) { atomic_store(&termination, 0); }

int wb_signals_resizes(void) { return atomic_load(&resizes); }

void wb_signals_exit_on_second(int enabled) { atomic_store(&exit_on_second, enabled); }

void wb_signals_save_terminal(int descriptor) {
  atomic_store(&saved_terminal, -1);
  if (tcgetattr(descriptor, &saved_modes) == 0) atomic_store(&saved_terminal, descriptor);
}

void wb_signals_restore_terminal(void) {
  int descriptor = atomic_load(&saved_terminal);
  if (descriptor >= 0) tcsetattr(descriptor, TCSANOW, &saved_modes);
}
