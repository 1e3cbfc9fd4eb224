#include "process/memory_signs.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "process/unique_fd.h"

namespace hf::process {
namespace {

constexpr std::array<std::string_view, 8> kPhrases{
    "failed to allocate", "unable to allocate", "out of memory",   "cannot allocate memory",
    "std::bad_alloc",     "outofdevicememory",  "outofhostmemory", "cudamalloc failed",
};

char lower(char c) {
  return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

}  // namespace

bool says_out_of_memory(std::string_view line) {
  std::string folded(line);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  return std::any_of(kPhrases.begin(), kPhrases.end(), [&folded](std::string_view phrase) {
    return folded.find(phrase) != std::string::npos;
  });
}

std::optional<std::uint64_t> parse_oom_kills(std::string_view vmstat) {
  constexpr std::string_view kName = "oom_kill ";
  for (std::size_t at = 0; at < vmstat.size();) {
    const std::string_view line = vmstat.substr(at, vmstat.find('\n', at) - at);
    if (line.starts_with(kName)) {
      std::uint64_t count = 0;
      const char* end = line.data() + line.size();
      const auto [stop, error] = std::from_chars(line.data() + kName.size(), end, count);
      if (error != std::errc{} || stop != end) {
        return std::nullopt;
      }
      return count;
    }
    at += line.size() + 1;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> read_oom_kills() {
  std::ifstream file("/proc/vmstat");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return parse_oom_kills(text);
}

Status set_oom_score(int pid, int adjustment) {
  const std::string path = fmt::format("/proc/{}/oom_score_adj", pid);
  const std::string text = std::to_string(adjustment);
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.valid() && ::write(file.get(), text.data(), text.size()) >= 0) {
    return {};
  }
  const int error = errno;
  const Errc code = error == EACCES || error == EPERM   ? Errc::PermissionDenied
                    : error == ENOENT || error == ESRCH ? Errc::NotFound
                                                        : Errc::Io;
  return fail(code, fmt::format("{}: {}", path, std::generic_category().message(error)), error);
}

}  // namespace hf::process
