#include "readers/pressure.h"

#include <charconv>
#include <optional>

#include "readers/proc_file.h"

namespace hf::readers {
namespace {

std::optional<double> parse_percent(std::string_view word, std::string_view key) {
  if (!word.starts_with(key)) {
    return std::nullopt;
  }
  word.remove_prefix(key.size());
  double number = 0;
  const auto [end, error] =
      std::from_chars(word.data(), word.data() + word.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || end != word.data() + word.size() || !(number >= 0)) {
    return std::nullopt;
  }
  return number;
}

// The words of "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" (total in microseconds).
std::optional<StallShare> parse_share(const std::vector<std::string_view>& words) {
  constexpr std::string_view kTotal = "total=";
  if (words.size() < 5 || !words[4].starts_with(kTotal)) {
    return std::nullopt;
  }
  const auto avg10 = parse_percent(words[1], "avg10=");
  const auto avg60 = parse_percent(words[2], "avg60=");
  const auto avg300 = parse_percent(words[3], "avg300=");
  const auto total = parse_number(words[4].substr(kTotal.size()));
  // Nanoseconds of it must fit into 63 bits: 292 years.
  if (!avg10 || !avg60 || !avg300 || !total || *total > INT64_MAX / 1000) {
    return std::nullopt;
  }
  return StallShare{*avg10, *avg60, *avg300, std::chrono::microseconds(*total)};
}

}  // namespace

Result<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  bool found = false;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.empty() || (words[0] != "some" && words[0] != "full")) {
      continue;
    }
    const auto share = parse_share(words);
    if (!share) {
      return fail(Errc::Corrupt,
                  "pressure: cannot read \"" + std::string(line.substr(0, 80)) + '"');
    }
    (words[0] == "some" ? pressure.some : pressure.full) = *share;
    found = found || words[0] == "some";
  }
  if (!found) {
    return fail(Errc::Corrupt, "pressure: no \"some\" line");
  }
  return pressure;
}

Result<Pressure> read_pressure(const std::filesystem::path& file) {
  const auto text = read_small_file(file);
  if (!text) {
    return fail(text.error());
  }
  return parse_pressure(*text);
}

std::filesystem::path pressure_file(const std::filesystem::path& root,
                                    const std::optional<CgroupMemory>& cgroup) {
  if (cgroup) {
    const auto own = std::filesystem::path(cgroup->path) / "memory.pressure";
    if (read_pressure(own)) {
      return own;
    }
  }
  return root / "proc/pressure/memory";
}

}  // namespace hf::readers
