#include "process/probe.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "process/launch.h"

namespace hf::process {
namespace {

using Clock = std::chrono::steady_clock;

// The help of llama-server v0.5.0 has 57 KiB.
constexpr std::size_t kOutputBytesMax = 1024 * 1024;

int remaining_ms(Clock::time_point until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, 60'000));
}

// Kills what is left of a probe's process group and reaps its leader, however the probe ended.
class Reaper {
 public:
  explicit Reaper(int pid) : pid_(pid) {}
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  ~Reaper() {
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

 private:
  int pid_;
};

// Takes what is there; closes the descriptor at the end of the file.
void read_into(UniqueFd& fd, std::string& text) {
  std::array<char, 16 * 1024> buffer;
  const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
  if (got > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    fd.reset();
  }
}

Result<std::string> output_of(const std::string& path, const char* option, Clock::time_point until,
                              const std::vector<std::string>& environment = {"LANG=C.UTF-8"}) {
  const std::vector<std::string> arguments{option};
  Result<Launched> launched = launch(path, arguments, environment);
  if (!launched) {
    return fail(std::move(launched).error());
  }
  const Reaper reaper(launched->pid);
  std::string text;
  // poll(2) passes over a descriptor that is -1.
  while (launched->out.valid() || launched->err.valid()) {
    std::array<pollfd, 2> waiting{pollfd{launched->out.get(), POLLIN, 0},
                                  pollfd{launched->err.get(), POLLIN, 0}};
    const int events = ::poll(waiting.data(), waiting.size(), remaining_ms(until));
    if (events == 0) {
      return fail(Errc::Timeout, fmt::format("{} {}: no end of its output in time", path, option));
    }
    if (events < 0 && errno != EINTR) {
      return fail(Errc::Io, fmt::format("{} {}: poll failed", path, option), errno);
    }
    if (waiting[0].revents != 0) {
      read_into(launched->out, text);
    }
    if (waiting[1].revents != 0) {
      read_into(launched->err, text);
    }
    if (text.size() > kOutputBytesMax) {
      return fail(Errc::Unsupported, fmt::format("{} {}: endless output", path, option));
    }
  }
  return text;
}

// Calls use(line) for each line; ends when it returns false.
template <class Use>
void for_each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    if (!use(text.substr(0, newline))) {
      return;
    }
    text.remove_prefix(std::min(newline + 1, text.size()));
  }
}

}  // namespace

std::set<std::string, std::less<>> parse_help_flags(std::string_view help) {
  std::set<std::string, std::less<>> flags;
  for_each_line(help, [&flags](std::string_view line) {
    constexpr std::string_view kBetween = " ,\t\r";
    while (line.starts_with('-')) {
      const std::size_t end = std::min(line.find_first_of(kBetween), line.size());
      // A line of dashes is a heading.
      if (line.substr(0, end).find_first_not_of('-') != std::string_view::npos) {
        flags.emplace(line.substr(0, end));
      }
      line.remove_prefix(end);
      line.remove_prefix(std::min(line.find_first_not_of(kBetween), line.size()));
    }
    return true;
  });
  return flags;
}

std::string parse_version(std::string_view text) {
  std::string version;
  for_each_line(text, [&version](std::string_view line) {
    // Anywhere in the line: the engine's logger thread may have written the first half of its own
    // line before it.
    constexpr std::string_view kName = "version:";
    const std::size_t name = line.find(kName);
    if (name == std::string_view::npos) {
      return true;
    }
    line.remove_prefix(name + kName.size());
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    version = line;
    return false;
  });
  return version;
}

Result<EngineTraits> probe_engine(const std::string& path, std::chrono::milliseconds deadline) {
  const Clock::time_point until = Clock::now() + deadline;
  Result<std::string> help = output_of(path, "--help", until);
  if (!help) {
    return fail(std::move(help).error());
  }
  Result<std::string> version = output_of(path, "--version", until);
  if (!version) {
    return fail(std::move(version).error());
  }
  EngineTraits traits{path, parse_version(*version), parse_help_flags(*help)};
  if (!traits.has("--model") || !traits.has("--host")) {
    return fail(
        Errc::Unsupported,
        fmt::format("{}: its --help names no --model and --host: not a llama-server", path));
  }
  return traits;
}

std::vector<std::string> parse_devices(std::string_view text) {
  std::vector<std::string> devices;
  bool listing = false;
  for_each_line(text, [&](std::string_view line) {
    if (line.find("Available devices:") != std::string_view::npos) {
      listing = true;
      return true;
    }
    // "  CUDA0: NVIDIA H200 (143771 MiB, 143211 MiB free)"; its logger may write in between.
    const std::size_t colon = line.find(": ");
    if (listing && line.starts_with("  ") && colon != std::string_view::npos) {
      const std::string_view name = line.substr(2, colon - 2);
      if (!name.empty() && name.find(' ') == std::string_view::npos) {
        devices.emplace_back(name);
      }
    }
    return true;
  });
  return devices;
}

Result<std::vector<std::string>> probe_devices(const EngineTraits& engine,
                                               const std::vector<std::string>& environment,
                                               std::chrono::milliseconds deadline) {
  if (!engine.has("--list-devices") || !engine.has("--device")) {
    return fail(Errc::Unsupported, engine.path + ": it does not say which devices it can use");
  }
  Result<std::string> text =
      output_of(engine.path, "--list-devices", Clock::now() + deadline, environment);
  if (!text) {
    return fail(std::move(text).error());
  }
  return parse_devices(*text);
}

}  // namespace hf::process
