#define _GNU_SOURCE
#include "CReadline.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <unistd.h>

int wb_pty_open(int columns, int rows, int *terminal) {
  struct winsize size = {
      .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  int master = -1;
  if (openpty(&master, terminal, NULL, NULL, &size) != 0) return -1;
  fcntl(master, F_SETFD, FD_CLOEXEC);
  fcntl(*terminal, F_SETFD, FD_CLOEXEC);
  return master;
}

int wb_pty_spawn(
    char *const *arguments, char *const *environment, int columns, int rows, int *child) {
  struct winsize size = {
      .ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  int master = -1;
  pid_t process = forkpty(&master, NULL, NULL, &size);
  if (process < 0) return -1;
  if (process == 0) {
    // Only async-signal-safe calls: the parent may have had threads.
    execvpe(arguments[0], arguments, environment);
    _exit(127);
  }
  fcntl(master, F_SETFD, FD_CLOEXEC);
  *child = (int)process;
  return master;
}
