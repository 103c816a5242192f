#include "GnuplotStream.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gnuplot-iostream.h>

namespace {

using Clock = std::chrono::steady_clock;

// A pipe that polls as writable takes this many bytes without blocking.
constexpr size_t kChunk = 4096;
// More output than this is a mistake, not a figure.
constexpr size_t kOutputLimit = size_t{64} << 20;
constexpr int kPollMilliseconds = 20;

thread_local std::string last_message;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const { return number_; }
  int release() { return std::exchange(number_, -1); }
  void reset() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

struct Failure : std::runtime_error {
  Failure(const std::string& what, int number)
      : std::runtime_error(what + ": " + std::strerror(number)), number(number) {}
  int number;
};

struct Pipe {
  Descriptor read, write;
  // Both ends stand above the standard descriptors, which the child's are copied onto.
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Failure("pipe", errno);
    read = above_standard(Descriptor(ends[0]));
    write = above_standard(Descriptor(ends[1]));
  }
  static Descriptor above_standard(Descriptor descriptor) {
    if (descriptor.get() > 2) return descriptor;
    int copy = ::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 3);
    if (copy < 0) throw Failure("fcntl", errno);
    return Descriptor(copy);
  }
};

// A dead reader must be an error of write, whatever the program does about SIGPIPE.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &old_);
  }
  ~NoSigpipe() {
    const timespec now = {0, 0};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &old_, nullptr);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;

 private:
  sigset_t pipe_, old_;
  bool was_pending_ = false;
};

pid_t spawn(
    const char* const* arguments, const char* directory, const Pipe& input, const Pipe& output,
    const Pipe& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input.read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, output.write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, errors.write.get(), 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  if (directory != nullptr) posix_spawn_file_actions_addchdir_np(&actions, directory);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t process = -1;
  int failure = ::posix_spawnp(
      &process, arguments[0], &actions, &attributes, const_cast<char* const*>(arguments), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) throw Failure(std::string("cannot start ") + arguments[0], failure);
  return process;
}

}  // namespace

struct gnuplot_stream {
  pid_t process = -1;
  bool reaped = false;
  gnuplot_end end = GNUPLOT_EXITED;
  int code = 0;
  Clock::time_point deadline;
  gnuplot_stop stop = nullptr;
  void* context = nullptr;
  std::unique_ptr<Gnuplot> plotter;
  int input = -1;  // owned by the plotter's FILE
  Descriptor output_pipe, error_pipe;
  std::string output, errors;

  ~gnuplot_stream() {
    kill_group();
    end_input();
  }

  // Takes what is readable now. Returns false at the end of that output.
  bool drain(Descriptor& pipe, std::string& text) {
    char bytes[65536];
    for (;;) {
      ssize_t count = ::read(pipe.get(), bytes, sizeof bytes);
      if (count > 0) {
        text.append(bytes, static_cast<size_t>(count));
        if (text.size() > kOutputLimit) {
          finish(GNUPLOT_FLOODED);
          return false;
        }
      } else if (count == 0) {
        pipe.reset();
        return false;
      } else if (errno != EINTR) {
        return true;
      }
    }
  }

  // Kills the process and whatever it started, and takes its status.
  void kill_group() {
    if (reaped || process <= 0) return;
    ::kill(-process, SIGKILL);
    ::kill(process, SIGKILL);
    reap(0);
  }

  void finish(gnuplot_end reason) {
    if (reaped) return;
    end = reason;
    code = 0;
    kill_group();
  }

  bool reap(int flags) {
    int status = 0;
    pid_t found;
    do {
      found = ::waitpid(process, &status, flags);
    } while (found < 0 && errno == EINTR);
    if (found == 0) return false;
    reaped = true;
    if (found < 0) {
      end = GNUPLOT_BROKEN;
      last_message = std::string("waitpid: ") + std::strerror(errno);
    } else if (end == GNUPLOT_EXITED) {
      end = WIFSIGNALED(status) ? GNUPLOT_KILLED : GNUPLOT_EXITED;
      code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    }
    return true;
  }

  // One round of waiting: collects output, notices the end, the deadline and the wish to stop.
  // Returns whether the input can take a chunk.
  bool wait(bool wants_input) {
    pollfd watched[3] = {
        {output_pipe.get(), POLLIN, 0},
        {error_pipe.get(), POLLIN, 0},
        {wants_input ? input : -1, POLLOUT, 0},
    };
    // With both outputs closed only the exit is left to wait for, and it comes at once.
    bool silent = output_pipe.get() < 0 && error_pipe.get() < 0 && !wants_input;
    int ready = ::poll(watched, 3, silent ? 1 : kPollMilliseconds);
    if (ready > 0) {
      if (watched[0].revents != 0) drain(output_pipe, output);
      if (watched[1].revents != 0) drain(error_pipe, errors);
    }
    if (reaped) return false;
    siginfo_t ended = {};
    if (::waitid(P_PID, static_cast<id_t>(process), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == process) {
      if (output_pipe.get() >= 0) drain(output_pipe, output);
      if (error_pipe.get() >= 0) drain(error_pipe, errors);
      if (!reaped) {
        ::kill(-process, SIGKILL);  // what it may have left behind
        reap(0);
      }
      return false;
    }
    if (stop != nullptr && stop(context) != 0) {
      finish(GNUPLOT_INTERRUPTED);
    } else if (Clock::now() >= deadline) {
      finish(GNUPLOT_TIMED_OUT);
    }
    if (reaped) return false;
    // Without a reader the write fails at once: that is for the caller to see.
    return ready > 0 && (watched[2].revents & (POLLOUT | POLLERR)) != 0;
  }

  void end_input() {
    if (!plotter) return;
    NoSigpipe guard;
    // What is left in the buffer of a stream that failed must not block its destructor.
    ::fcntl(input, F_SETFL, O_NONBLOCK);
    plotter.reset();
    input = -1;
  }
};

extern "C" gnuplot_stream* gnuplot_stream_open(
    const char* const* arguments, const char* directory, double timeout_seconds, gnuplot_stop stop,
    void* context, int* error_number) {
  try {
    last_message.clear();
    *error_number = 0;
    auto stream = std::make_unique<gnuplot_stream>();
    Pipe input, output, errors;
    stream->process = spawn(arguments, directory, input, output, errors);
    stream->deadline =
        Clock::now() + std::chrono::microseconds(static_cast<long long>(timeout_seconds * 1e6));
    stream->stop = stop;
    stream->context = context;
    stream->output_pipe = std::move(output.read);
    stream->error_pipe = std::move(errors.read);
    ::fcntl(stream->output_pipe.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(stream->error_pipe.get(), F_SETFL, O_NONBLOCK);
    FILE* file = ::fdopen(input.write.get(), "w");
    if (file == nullptr) throw Failure("fdopen", errno);
    stream->input = input.write.release();
    try {
      stream->plotter = std::make_unique<Gnuplot>(file);
    } catch (...) {
      std::fclose(file);
      throw;
    }
    return stream.release();
  } catch (const Failure& failure) {
    *error_number = failure.number;
    last_message = failure.what();
  } catch (const std::exception& failure) {
    *error_number = EIO;
    last_message = failure.what();
  } catch (...) {
    *error_number = EIO;
    last_message = "unknown failure";
  }
  return nullptr;
}

extern "C" int gnuplot_stream_send(gnuplot_stream* stream, const char* text, size_t count) {
  try {
    while (count > 0 && !stream->reaped && stream->plotter) {
      if (!stream->wait(true)) continue;
      NoSigpipe guard;
      size_t part = std::min(count, kChunk);
      stream->plotter->write(text, static_cast<std::streamsize>(part));
      stream->plotter->flush();
      if (!stream->plotter->good()) break;
      text += part;
      count -= part;
    }
  } catch (const std::exception& failure) {
    last_message = failure.what();
  } catch (...) {
    last_message = "unknown failure";
  }
  return count == 0 ? 0 : -1;
}

extern "C" gnuplot_end gnuplot_stream_close(gnuplot_stream* stream, int* code) {
  try {
    stream->end_input();
    while (!stream->reaped) stream->wait(false);
  } catch (const std::exception& failure) {
    last_message = failure.what();
    stream->finish(GNUPLOT_BROKEN);
  } catch (...) {
    last_message = "unknown failure";
    stream->finish(GNUPLOT_BROKEN);
  }
  *code = stream->code;
  return stream->end;
}

extern "C" const char* gnuplot_stream_output(const gnuplot_stream* stream, size_t* count) {
  *count = stream->output.size();
  return stream->output.c_str();
}

extern "C" const char* gnuplot_stream_errors(const gnuplot_stream* stream, size_t* count) {
  *count = stream->errors.size();
  return stream->errors.c_str();
}

extern "C" void gnuplot_stream_free(gnuplot_stream* stream) { delete stream; }

extern "C" const char* gnuplot_stream_message(void) { return last_message.c_str(); }
