#define _GNU_SOURCE
#include "CReadline.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

static wb_completer completer;
static void *completer_context;
static int tab_repeated;

static int line_finished;
static char *finished_line;  // NULL at the end of input
static const char *initial_text;

static int input_descriptor = STDIN_FILENO;

static wb_hinter hinter;
static void *hinter_context;
static int hint_width;     // of the hint on the screen; 0 for none
static char *hint_taken;   // what accepting it inserts; NULL for nothing
static char *hinted_line;  // what it stands behind

static volatile sig_atomic_t stop_requested;
static volatile sig_atomic_t continued;

// ---- Hints ----

static void forget_hint(void) {
  hint_width = 0;
  free(hint_taken);
  free(hinted_line);
  hint_taken = hinted_line = NULL;
}

// The cursor stands where the hint begins: nothing has moved it since.
static void erase_hint(void) {
  if (hint_width == 0) return;
  fputs("\033[K", rl_outstream);
  forget_hint();
}

static int is_plain_editing(void) {
  return rl_point == rl_end && rl_end > 0 && !rl_done && rl_display_prompt == rl_prompt &&
         !RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH | RL_STATE_NUMERICARG | RL_STATE_VIMOTION);
}

static int is_key_waiting(void) {
  struct pollfd input = {.fd = input_descriptor, .events = POLLIN};
  return rl_pending_input != 0 || poll(&input, 1, 0) > 0;
}

// The line as readline draws it, and behind it the hint. A hint that another one follows is drawn
// over, not erased first, so that nothing flickers.
static void redisplay_with_hint(void) {
  if (hinter == NULL) {
    rl_redisplay();
    return;
  }
  int is_plain = is_plain_editing();
  int is_waiting = is_key_waiting();
  int was_shown = hint_width > 0;
  // Between the characters of one key, such as an arrow, the hint that the key may take stays.
  if (was_shown && is_plain && is_waiting && strcmp(hinted_line, rl_line_buffer) == 0) {
    rl_redisplay();
    return;
  }
  int gives_hint = is_plain && !is_waiting;
  if (!gives_hint) erase_hint();
  forget_hint();
  rl_redisplay();
  if (!gives_hint) return;
  hinter(hinter_context, rl_line_buffer);
  if (was_shown && hint_width == 0) fputs("\033[K", rl_outstream);
  fflush(rl_outstream);
}

void wb_readline_set_hinter(wb_hinter function, void *context) {
  hinter = function;
  hinter_context = context;
}

void wb_hint_show(const char *shown, int width, const char *taken) {
  forget_hint();
  if (width <= 0) return;
  hint_width = width;
  hint_taken = taken == NULL ? NULL : strdup(taken);
  hinted_line = strdup(rl_line_buffer);
  fprintf(rl_outstream, "%s\033[K\033[%dD", shown, width);
}

// Enter must not leave a hint behind: readline draws no more before the line is given away.
static int accept_line(int count, int key) {
  erase_hint();
  fflush(rl_outstream);
  return rl_newline(count, key);
}

static int take_hint(void) {
  if (hint_taken == NULL || rl_point != rl_end) return 0;
  char *text = hint_taken;
  hint_taken = NULL;
  rl_insert_text(text);
  free(text);
  return 1;
}

static int forward_or_take(int count, int key) {
  return take_hint() ? 0 : rl_forward_char(count, key);
}

static int end_or_take(int count, int key) { return take_hint() ? 0 : rl_end_of_line(count, key); }

static void bind_hint_keys(void) {
  rl_bind_key('\r', accept_line);
  rl_bind_key('\n', accept_line);
  rl_bind_keyseq("\\e[C", forward_or_take);
  rl_bind_keyseq("\\eOC", forward_or_take);
  rl_bind_keyseq("\\e[F", end_or_take);
  rl_bind_keyseq("\\eOF", end_or_take);
  rl_bind_keyseq("\\e[4~", end_or_take);
  // In vi's insertion mode Ctrl-F has no meaning, and none is taken away.
  rl_bind_keyseq("\\C-f", forward_or_take);
  rl_bind_keyseq("\\C-e", end_or_take);
}

// ---- Set-up ----

static int complete_on_tab(int count, int key) {
  (void)count;
  (void)key;
  if (completer == NULL) return 0;
  tab_repeated = rl_last_func == complete_on_tab;
  completer(completer_context, rl_line_buffer, (size_t)rl_point);
  return 0;
}

static int insert_initial_text(void) {
  if (initial_text != NULL) {
    rl_insert_text(initial_text);
    initial_text = NULL;
    rl_redisplay();
  }
  return 0;
}

// The C locale knows no characters beyond ASCII: editing an `é` would break it in halves. Only the
// character type changes, never how numbers are written.
static void use_utf8(void) {
  setlocale(LC_CTYPE, "");
  if (strcmp(nl_langinfo(CODESET), "ANSI_X3.4-1968") == 0) setlocale(LC_CTYPE, "C.UTF-8");
}

void wb_readline_setup(const char *program_name) {
  static int done;
  if (done) return;
  done = 1;
  use_utf8();
  static char name[64];
  snprintf(name, sizeof name, "%s", program_name);
  rl_readline_name = name;
  rl_catch_signals = 0;   // ours are counters; see Signals.c
  rl_catch_sigwinch = 0;  // told by the same pipe
  rl_change_environment = 0;
  rl_startup_hook = insert_initial_text;
  rl_initialize();
  rl_variable_bind("enable-bracketed-paste", "on");
  rl_variable_bind("bell-style", "none");
  rl_bind_key('\t', complete_on_tab);
  rl_redisplay_function = redisplay_with_hint;
  bind_hint_keys();
  using_history();
}

int wb_readline_use_descriptors(int input, int output) {
  static FILE *streams[2];
  if (streams[0] != NULL) fclose(streams[0]);
  if (streams[1] != NULL) fclose(streams[1]);
  streams[0] = streams[1] = NULL;
  rl_instream = stdin;
  rl_outstream = stdout;
  input_descriptor = STDIN_FILENO;
  if (input == STDIN_FILENO && output == STDOUT_FILENO) return 0;
  int copies[2] = {fcntl(input, F_DUPFD_CLOEXEC, 3), fcntl(output, F_DUPFD_CLOEXEC, 3)};
  streams[0] = copies[0] < 0 ? NULL : fdopen(copies[0], "r");
  streams[1] = copies[1] < 0 ? NULL : fdopen(copies[1], "w");
  if (streams[0] == NULL || streams[1] == NULL) return -1;
  rl_instream = streams[0];
  rl_outstream = streams[1];
  input_descriptor = copies[0];
  rl_reset_screen_size();
  return 0;
}

void wb_readline_set_completer(wb_completer function, void *context) {
  completer = function;
  completer_context = context;
}

// ---- Reading ----

static void take_line(char *line) {
  // Called by readline when Enter or the end of input is seen; removing the handler here keeps
  // readline from printing the prompt again.
  rl_callback_handler_remove();
  finished_line = line;
  line_finished = 1;
}

static void note_stop(int number) {
  (void)number;
  stop_requested = 1;
}

static void note_continue(int number) {
  (void)number;
  continued = 1;
}

// Ctrl-Z: give the terminal back, stop, and take it again afterwards.
static void stop_and_return(const struct sigaction *own_stop) {
  stop_requested = 0;
  erase_hint();
  rl_deprep_terminal();
  struct sigaction standard;
  memset(&standard, 0, sizeof standard);
  standard.sa_handler = SIG_DFL;
  sigaction(SIGTSTP, &standard, NULL);
  kill(0, SIGTSTP);
  sigaction(SIGTSTP, own_stop, NULL);
  continued = 1;
}

static wb_line_status abandon(wb_line_status status, const char *shown) {
  erase_hint();
  rl_free_line_state();
  rl_callback_sigcleanup();
  rl_point = rl_end;
  rl_redisplay();
  fputs(shown, rl_outstream);
  fputc('\n', rl_outstream);
  fflush(rl_outstream);
  rl_replace_line("", 0);
  rl_callback_handler_remove();
  return status;
}

static void resize(void) {
  // The terminal may have broken the hint over two rows.
  if (hint_width > 0) fputs("\033[J", rl_outstream);
  forget_hint();
  // Readline goes back to the row's beginning only if it draws itself.
  rl_redisplay_function = rl_redisplay;
  rl_resize_terminal();
  rl_redisplay_function = redisplay_with_hint;
  redisplay_with_hint();
}

static wb_line_status wait_for_line(const struct sigaction *own_stop) {
  struct pollfd watched[2] = {
      {.fd = input_descriptor, .events = POLLIN},
      {.fd = wb_signals_wake_descriptor(), .events = POLLIN},
  };
  int resizes = wb_signals_resizes();
  while (!line_finished) {
    if (stop_requested) stop_and_return(own_stop);
    if (continued) {
      continued = 0;
      rl_prep_terminal(1);
      rl_resize_terminal();
      rl_forced_update_display();
    }
    if (wb_signals_termination() != 0) return abandon(WB_LINE_TERMINATED, "");
    if (wb_signals_interrupts() != 0) {
      wb_signals_clear_interrupts();
      return abandon(WB_LINE_INTERRUPTED, "^C");
    }
    if (wb_signals_resizes() != resizes) {
      resizes = wb_signals_resizes();
      resize();
    }
    fflush(rl_outstream);
    // The stop and continue handlers do not write to the pipe; poll itself ends with EINTR, and a
    // signal between the checks above and poll is seen a second later at most.
    int ready = poll(watched, 2, 1000);
    if (ready < 0 && errno != EINTR) return abandon(WB_LINE_END, "");
    if (ready <= 0) continue;
    if (watched[1].revents != 0) {
      wb_signals_drain();
      continue;
    }
    if (watched[0].revents != 0) rl_callback_read_char();
  }
  return finished_line == NULL ? WB_LINE_END : WB_LINE_TEXT;
}

wb_line_status wb_readline_read(const char *prompt, const char *initial, char **line) {
  struct sigaction stop, resume, old_stop, old_continue;
  memset(&stop, 0, sizeof stop);
  stop.sa_handler = note_stop;
  resume = stop;
  resume.sa_handler = note_continue;
  sigaction(SIGTSTP, &stop, &old_stop);
  sigaction(SIGCONT, &resume, &old_continue);

  wb_signals_clear_interrupts();
  wb_signals_save_terminal(input_descriptor);
  line_finished = 0;
  finished_line = NULL;
  forget_hint();
  initial_text = initial;
  rl_callback_handler_install(prompt, take_line);
  wb_line_status status = wait_for_line(&stop);

  sigaction(SIGTSTP, &old_stop, NULL);
  sigaction(SIGCONT, &old_continue, NULL);
  // Readline ends the line itself where it switches bracketed paste off again.
  if (status == WB_LINE_END && strcmp(rl_variable_value("enable-bracketed-paste"), "off") == 0) {
    fputc('\n', rl_outstream);
    fflush(rl_outstream);
  }
  *line = finished_line;
  finished_line = NULL;
  return status;
}

const char *wb_readline_version(void) { return rl_library_version; }

void wb_readline_free(char *line) { free(line); }

// ---- Completion ----

void wb_complete_replace(size_t from, const char *text) {
  int start = (int)from < rl_point ? (int)from : rl_point;
  rl_begin_undo_group();
  rl_delete_text(start, rl_point);
  rl_point = start;
  rl_insert_text(text);
  rl_end_undo_group();
}

void wb_complete_show(const char *text) {
  erase_hint();
  int point = rl_point;
  rl_point = rl_end;
  rl_redisplay();
  rl_crlf();
  fputs(text, rl_outstream);
  fflush(rl_outstream);
  rl_point = point;
  rl_on_new_line();
  rl_forced_update_display();
}

void wb_complete_bell(void) { rl_ding(); }

int wb_complete_is_repeated(void) { return tab_repeated; }

// ---- History ----

void wb_history_add(const char *entry) { add_history(entry); }
void wb_history_clear(void) { clear_history(); }
void wb_history_limit(int entries) { stifle_history(entries); }
