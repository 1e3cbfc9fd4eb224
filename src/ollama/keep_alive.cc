#include "ollama/keep_alive.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>
#include <string_view>

#include "ollama/json.h"

namespace hf::ollama {
namespace {

constexpr std::array<std::string_view, 8> kUnits{"ns", "us", "µs", "μs", "ms", "s", "m", "h"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view take(std::string_view& text, bool (*wanted)(char)) {
  const auto end = std::find_if_not(text.begin(), text.end(), wanted);
  const std::string_view taken = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(taken.size());
  return taken;
}

bool has_value(std::string_view digits) {
  return std::any_of(digits.begin(), digits.end(), [](char c) { return c != '0'; });
}

// True if it is zero; nothing if it is no duration. A number alone counts as seconds.
std::optional<bool> is_zero(std::string_view text) {
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    text.remove_prefix(1);
  }
  if (text.empty()) {
    return std::nullopt;
  }
  bool zero = true;
  while (!text.empty()) {
    const std::string_view whole = take(text, is_digit);
    std::string_view fraction;
    if (text.starts_with('.')) {
      text.remove_prefix(1);
      fraction = take(text, is_digit);
    }
    if (whole.empty() && fraction.empty()) {
      return std::nullopt;
    }
    zero = zero && !has_value(whole) && !has_value(fraction);
    const std::string_view unit = take(text, [](char c) { return !is_digit(c) && c != '.'; });
    if (unit.empty() ? !text.empty()
                     : std::find(kUnits.begin(), kUnits.end(), unit) == kUnits.end()) {
      return std::nullopt;
    }
  }
  return zero;
}

}  // namespace

Checked<KeepAlive> read_keep_alive(const boost::json::value* value) {
  if (value == nullptr || value->is_null()) {
    return KeepAlive::AsUsual;
  }
  std::optional<bool> zero;
  if (value->is_number()) {
    zero = value->to_number<double>() == 0;
  } else if (const boost::json::string* text = value->if_string()) {
    if (text->empty()) {
      return KeepAlive::AsUsual;
    }
    zero = is_zero(view(*text));
  }
  if (!zero) {
    return wrong("keep_alive must be a number of seconds or a duration such as \"5m\"",
                 "keep_alive");
  }
  return *zero ? KeepAlive::Zero : KeepAlive::AsUsual;
}

}  // namespace hf::ollama
