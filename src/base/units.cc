#include "base/units.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace hf {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr std::array<Unit, 10> kSizeUnits{{{"", 1},
                                           {"B", 1},
                                           {"KB", 1e3},
                                           {"MB", 1e6},
                                           {"GB", 1e9},
                                           {"TB", 1e12},
                                           {"KiB", 1024.0},
                                           {"MiB", 1048576.0},
                                           {"GiB", 1073741824.0},
                                           {"TiB", 1099511627776.0}}};

constexpr std::array<Unit, 6> kTimeUnits{
    {{"ms", 1e-3}, {"s", 1}, {"m", 60}, {"min", 60}, {"h", 3600}, {"d", 86400}}};

// 2^62: far above any machine, far below where a signed 64-bit count or its double would lie.
constexpr double kLargest = 4611686018427387904.0;
// Twenty years in seconds; nanoseconds of it still fit into 63 bits.
constexpr double kLongestSeconds = 20.0 * 365 * 86400;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

// Splits "1.5 GiB" into the number and the unit's factor; false if either is not one of ours.
template <std::size_t N>
bool split(std::string_view text, const std::array<Unit, N>& units, double& value) {
  text = trimmed(text);
  if (text.empty() || text.front() < '0' || text.front() > '9') {
    return false;  // no signs, no ".5", no "inf"
  }
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{}) {
    return false;
  }
  const auto used = static_cast<std::size_t>(end - text.data());
  const std::string_view unit = trimmed(text.substr(used));
  for (const Unit& known : units) {
    if (known.name == unit) {
      value = number * known.factor;
      return true;
    }
  }
  return false;
}

std::string printed(const char* format, double number, const char* unit) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, number, unit);
  return buffer.data();
}

}  // namespace

Result<Bytes> parse_bytes(std::string_view text) {
  double value = 0;
  if (!split(text, kSizeUnits, value) || !(value < kLargest)) {
    return fail(Errc::InvalidArgument, "not a size: \"" + std::string(text.substr(0, 40)) +
                                           "\" (expected for example \"5GiB\", \"48GB\" or a bare "
                                           "count of bytes)");
  }
  return Bytes(static_cast<std::int64_t>(std::llround(value)));
}

Result<Duration> parse_duration(std::string_view text) {
  double value = 0;
  if (!split(text, kTimeUnits, value) || !(value < kLongestSeconds)) {
    return fail(Errc::InvalidArgument,
                "not a duration: \"" + std::string(text.substr(0, 40)) +
                    "\" (expected for example \"30s\", \"500ms\" or \"2h\")");
  }
  return Duration(static_cast<Duration::rep>(std::llround(value * 1e9)));
}

std::string format_bytes(Bytes bytes) {
  constexpr std::array<const char*, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  double number = static_cast<double>(bytes.count);
  std::size_t step = 0;
  while (std::fabs(number) >= 1023.5 && step + 1 < kNames.size()) {
    number /= 1024;
    ++step;
  }
  const double size = std::fabs(number);
  const char* format = step == 0 || size >= 99.95 ? "%.0f %s"
                       : size >= 9.995            ? "%.1f %s"
                                                  : "%.2f %s";
  return printed(format, number, kNames[step]);
}

std::string format_duration(Duration duration) {
  const double s = seconds_of(duration);
  if (s < 0.9995) {
    return printed("%.0f %s", s * 1e3, "ms");
  }
  if (s < 99.95) {
    return printed("%.1f %s", s, "s");
  }
  const auto whole = static_cast<long long>(std::llround(s));
  std::array<char, 64> buffer{};
  if (whole < 3600) {
    std::snprintf(buffer.data(), buffer.size(), "%lld min %lld s", whole / 60, whole % 60);
  } else {
    std::snprintf(buffer.data(), buffer.size(), "%lld h %lld min", whole / 3600, whole % 3600 / 60);
  }
  return buffer.data();
}

std::string format_percent(double percent) {
  return printed("%.1f%s", percent, "%");
}

}  // namespace hf
