#include "app/gnuplot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "process/unique_fd.h"

extern char** environ;

namespace hf::app {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPatience{30};
// A chart has some ten kilobytes; a script that never ends must not fill the memory.
constexpr std::size_t kMostOutput = 16 * 1024 * 1024;
constexpr std::size_t kShownWords = 400;

using Fd = process::UniqueFd;

struct Pipe {
  Fd read, write;
};

std::optional<Pipe> open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return std::nullopt;
  }
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

tl::unexpected<Error> failed(const std::string& what, int reason) {
  return fail(Errc::Io, what + ": " + std::strerror(reason), reason);
}

struct Running {
  pid_t pid = 0;
  Pipe in, out, err;
};

Result<Running> start() {
  auto in = open_pipe();
  auto out = open_pipe();
  auto err = open_pipe();
  if (!in || !out || !err) {
    return failed("gnuplot", errno);
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in->read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out->write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err->write.get(), 2);
  // -d: nobody's ~/.gnuplot decides how the chart looks.
  std::string program = "gnuplot";
  std::string plain = "-d";
  std::array<char*, 3> arguments{program.data(), plain.data(), nullptr};
  Running running;
  const int error =
      ::posix_spawnp(&running.pid, "gnuplot", &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error == ENOENT) {
    return fail(Errc::NotFound, "gnuplot is not installed", error);
  }
  if (error != 0) {
    return failed("gnuplot", error);
  }
  running.in.write = std::move(in->write);
  running.out.read = std::move(out->read);
  running.err.read = std::move(err->read);
  return running;
}

// Closes at the end of the file.
void read_some(Fd& fd, std::string& text) {
  std::array<char, 16 * 1024> buffer{};
  const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    fd.reset();
  }
}

void write_some(Fd& fd, std::string_view& rest) {
  const ssize_t put = ::write(fd.get(), rest.data(), rest.size());
  if (put > 0) {
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  if (rest.empty() || (put < 0 && errno != EINTR && errno != EAGAIN)) {
    fd.reset();
  }
}

struct Said {
  std::string out, err;
};

// Feeds the script and takes the answer at the same time: neither pipe can hold everything.
Result<Said> converse(Running& running, std::string_view script) {
  const auto until = Clock::now() + kPatience;
  ::fcntl(running.in.write.get(), F_SETFL, O_NONBLOCK);
  Said said;
  while (running.out.read.get() >= 0 || running.err.read.get() >= 0) {
    std::array<pollfd, 3> waiting{pollfd{running.in.write.get(), POLLOUT, 0},
                                  pollfd{running.out.read.get(), POLLIN, 0},
                                  pollfd{running.err.read.get(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const int events = ::poll(waiting.data(), waiting.size(), static_cast<int>(std::max(0L, left)));
    if (events == 0 || said.out.size() > kMostOutput) {
      return fail(Errc::Timeout, "gnuplot did not come to an end");
    }
    if (waiting[0].revents != 0) {
      write_some(running.in.write, script);
    }
    if (waiting[1].revents != 0) {
      read_some(running.out.read, said.out);
    }
    if (waiting[2].revents != 0) {
      read_some(running.err.read, said.err);
    }
  }
  return said;
}

Result<std::string> chart_of(const std::string& script) {
  Result<Running> running = start();
  if (!running) {
    return fail(std::move(running.error()));
  }
  Result<Said> said = converse(*running, script);
  if (!said) {
    ::kill(running->pid, SIGKILL);
  }
  int status = 0;
  while (::waitpid(running->pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!said) {
    return fail(std::move(said.error()));
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || said->out.empty()) {
    return fail(Errc::Unsupported, "gnuplot failed: " + said->err.substr(0, kShownWords));
  }
  return std::move(said->out);
}

}  // namespace

Status draw_with_gnuplot(const std::string& script, const std::filesystem::path& file) {
  const Result<std::string> chart = chart_of(script);
  if (!chart) {
    return fail(chart.error());
  }
  // Beside the target, so that the rename stays within one file system.
  const std::string part = file.string() + "." + std::to_string(::getpid()) + ".part";
  const Fd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (fd.get() < 0) {
    return failed(file.string(), errno);
  }
  std::string_view rest = *chart;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd.get(), rest.data(), rest.size());
    if (put < 0 && errno != EINTR) {
      const int reason = errno;
      ::unlink(part.c_str());
      return failed(file.string(), reason);
    }
    rest.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(0, put)));
  }
  if (::rename(part.c_str(), file.c_str()) != 0) {
    const int reason = errno;
    ::unlink(part.c_str());
    return failed(file.string(), reason);
  }
  return {};
}

}  // namespace hf::app
