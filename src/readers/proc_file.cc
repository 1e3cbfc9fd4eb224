#include "readers/proc_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace hf::readers {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;

Errc code_of(int reason) {
  switch (reason) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:  // /proc/PID of a process that ended between open and read
      return Errc::NotFound;
    case EACCES:
    case EPERM:
      return Errc::PermissionDenied;
    default:
      return Errc::Io;
  }
}

tl::unexpected<Error> failed(const std::filesystem::path& path, int reason) {
  return fail(code_of(reason), path.string() + ": " + std::strerror(reason), reason);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) {
    return failed(path, errno);
  }
  std::string text;
  std::array<char, 8192> block{};
  for (;;) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return failed(path, errno);
    }
    if (got == 0) {
      return text;
    }
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestFile) {
      return fail(Errc::Corrupt, path.string() + ": larger than 1 MiB");
    }
  }
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

std::vector<std::string_view> words_of(std::string_view line) {
  constexpr std::string_view kBlanks = " \t\r";
  std::vector<std::string_view> words;
  for (std::size_t begin = line.find_first_not_of(kBlanks); begin != std::string_view::npos;) {
    const std::size_t end = line.find_first_of(kBlanks, begin);
    words.push_back(line.substr(begin, end == std::string_view::npos ? end : end - begin));
    begin = line.find_first_not_of(kBlanks, end);
  }
  return words;
}

std::optional<std::int64_t> parse_number(std::string_view word) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc{} || end != word.data() + word.size() || number < 0) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> read_number_file(const std::filesystem::path& path) {
  const auto text = read_small_file(path);
  const auto words = text ? words_of(std::string_view(*text).substr(0, text->find('\n')))
                          : std::vector<std::string_view>{};
  return words.size() == 1 ? parse_number(words[0]) : std::nullopt;
}

std::optional<Bytes> find_kib(std::string_view text, std::string_view key) {
  for (const std::string_view line : lines_of(text)) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') {
      continue;
    }
    const auto words = words_of(line.substr(key.size() + 1));
    if (words.size() != 2 || words[1] != "kB") {
      return std::nullopt;
    }
    const auto number = parse_number(words[0]);
    if (!number || *number > INT64_MAX / 1024) {
      return std::nullopt;
    }
    return *number * kKiB;
  }
  return std::nullopt;
}

std::optional<Bytes> find_stat(std::string_view text, std::string_view key) {
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() == 2 && words[0] == key) {
      const auto number = parse_number(words[1]);
      return number ? std::optional(Bytes(*number)) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace hf::readers
