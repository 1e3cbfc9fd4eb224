#include "store/measurement.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace hf::store {

namespace {

void average_in(std::optional<double>& average, Duration took) {
  const double seconds = std::max(0.0, seconds_of(took));
  average = average ? *average + kNewestLoadWeight * (seconds - *average) : seconds;
}

}  // namespace

void add_load(Measurement& measurement, Duration took, bool was_cached) {
  auto& average = was_cached ? measurement.load_seconds_cached : measurement.load_seconds_cold;
  bool& estimated =
      was_cached ? measurement.load_cached_estimated : measurement.load_cold_estimated;
  if (std::exchange(estimated, false)) {
    average.reset();
  }
  average_in(average, took);
}

void add_computed_load(Measurement& measurement, Duration would_take, bool if_cached) {
  average_in(if_cached ? measurement.load_seconds_cached : measurement.load_seconds_cold,
             would_take);
  (if_cached ? measurement.load_cached_estimated : measurement.load_cold_estimated) = true;
}

void add_high_water(Measurement& measurement, Bytes seen) {
  measurement.high_water = std::max(measurement.high_water, seen);
}

std::string to_text(const std::map<std::string, Bytes>& by_card) {
  std::string text;
  for (const auto& [card, bytes] : by_card) {
    text += (text.empty() ? "" : " ") + card + '=' + std::to_string(bytes.count);
  }
  return text;
}

std::map<std::string, Bytes> parse_by_card(std::string_view text) {
  std::map<std::string, Bytes> by_card;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    const std::size_t sign = word.find('=');
    if (sign == std::string_view::npos || sign == 0) {
      continue;
    }
    std::int64_t count = 0;
    const char* end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data() + sign + 1, end, count);
    if (error == std::errc{} && stop == end && count >= 0) {
      by_card[std::string(word.substr(0, sign))] = Bytes(count);
    }
  }
  return by_card;
}

}  // namespace hf::store
