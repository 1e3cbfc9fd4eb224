#include "pull/progress.h"

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace hf::pull {
namespace {

constexpr Duration kWindow = std::chrono::seconds(8);
constexpr Duration kStep = std::chrono::milliseconds(200);  // samples closer together add nothing
constexpr std::size_t kNameMin = 12;                        // a shorter name says nothing
constexpr std::size_t kBarMin = 10;
constexpr std::size_t kBarMax = 40;

int percent(const Progress& progress) {
  const std::int64_t total = progress.total->count;
  // Rounded down: 100% is said when it is all there.
  return total == 0 ? 100
                    : static_cast<int>(100.0 * static_cast<double>(progress.done.count) /
                                       static_cast<double>(total));
}

std::string rate_words(const Progress& progress) {
  if (!progress.bytes_per_second) {
    return {};
  }
  const Bytes rate(std::llround(*progress.bytes_per_second));
  std::string text = ", " + format_bytes(rate) + "/s";
  if (const auto left = progress.left(); left && left->count() > 0) {
    // Whole seconds: tenths of a guess only flicker.
    const auto whole = std::chrono::ceil<std::chrono::seconds>(*left);
    const std::string shown = whole < std::chrono::seconds(100)
                                  ? std::to_string(whole.count()) + " s"
                                  : format_duration(whole);
    text += ", " + shown + " left";
  }
  return text;
}

// The end tells quantisations apart, so the middle goes.
std::string shortened(const std::string& name, std::size_t most) {
  if (name.size() <= most) {
    return name;
  }
  const std::size_t front = (most - 3) / 2;
  const std::size_t back = most - 3 - front;
  return name.substr(0, front) + "..." + name.substr(name.size() - back);
}

}  // namespace

std::optional<Duration> Progress::left() const {
  if (!total || !bytes_per_second || *bytes_per_second < 1) {
    return std::nullopt;
  }
  constexpr double kLongestSeconds = 1e8;  // three years: no more than a number
  const double seconds = static_cast<double>((*total - done).count) / *bytes_per_second;
  return duration_of_seconds(std::clamp(seconds, 0.0, kLongestSeconds));
}

void Rate::add(TimePoint now, Bytes bytes) {
  if (samples_.size() >= 2 && now - samples_[samples_.size() - 2].at < kStep) {
    samples_.back() = {now, bytes};
  } else {
    samples_.push_back({now, bytes});
  }
  while (samples_.size() > 2 && now - samples_.front().at > kWindow) {
    samples_.pop_front();
  }
}

std::optional<double> Rate::per_second() const {
  if (samples_.size() < 2) {
    return std::nullopt;
  }
  const double seconds = seconds_of(samples_.back().at - samples_.front().at);
  if (seconds < 0.5) {
    return std::nullopt;
  }
  return static_cast<double>((samples_.back().bytes - samples_.front().bytes).count) / seconds;
}

std::string progress_words(const Progress& progress) {
  const std::string verb = progress.stage == Stage::Checking ? "checking, " : "";
  if (!progress.total) {
    return verb + format_bytes(progress.done) + rate_words(progress);
  }
  return verb + std::to_string(percent(progress)) + "% of " + format_bytes(*progress.total) +
         rate_words(progress);
}

std::string progress_bar(const Progress& progress, std::size_t columns) {
  const std::size_t room = columns > 1 ? columns - 1 : 0;  // the last column would wrap
  const std::string number = progress.count > 1 ? "[" + std::to_string(progress.number) + "/" +
                                                      std::to_string(progress.count) + "] "
                                                : "";
  const std::string words = progress_words(progress);
  const std::size_t taken = number.size() + words.size() + 1;
  if (taken + kNameMin > room) {
    return words.substr(0, room);
  }
  std::size_t left = room - taken;
  std::string bar;
  if (progress.total && left >= progress.file.size() + kBarMin + 3) {
    const std::size_t width = std::min(left - progress.file.size() - 3, kBarMax);
    const std::size_t full = width * static_cast<std::size_t>(percent(progress)) / 100;
    bar = "[" + std::string(full, '#') + std::string(width - full, '-') + "] ";
    left -= bar.size();
  }
  return number + shortened(progress.file, left) + " " + bar + words;
}

}  // namespace hf::pull
