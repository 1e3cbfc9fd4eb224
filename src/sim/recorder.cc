#include "sim/recorder.h"

#include <algorithm>
#include <cstdio>

#include "sim/describe.h"

namespace hf::sim {
namespace {

// What tells two actions or events of a kind apart, for the hash.
struct KeyOf {
  template <class T>
  std::uint64_t operator()(const T& t) const {
    std::uint64_t key = 0;
    if constexpr (requires { t.ticket; }) {
      key = key * 1000003 + t.ticket.value;
    }
    if constexpr (requires { t.model; }) {
      key = key * 1000003 + t.model.value;
    }
    if constexpr (requires { t.generation; }) {
      key = key * 1000003 + t.generation.value;
    }
    if constexpr (requires { t.reason.why; }) {
      key = key * 1000003 + static_cast<std::uint64_t>(t.reason.why);
    }
    return key;
  }
};

}  // namespace

Recorder::Entry& Recorder::next_entry(TimePoint now) {
  Entry& entry = entries_[count_ % kKept];
  ++count_;
  entry.at = now;
  return entry;
}

void Recorder::mix(std::uint64_t value) {
  constexpr std::uint64_t kPrime = 0x100000001B3ULL;  // FNV-1a, on words instead of bytes
  hash_ = (hash_ ^ value) * kPrime;
}

void Recorder::note(const core::Event& event, TimePoint now) {
  Entry& entry = next_entry(now);
  entry.what = event;
  mix(static_cast<std::uint64_t>(now.time_since_epoch().count()));
  mix(event.index());
  mix(std::visit(KeyOf{}, event));
  if (trace_) {
    std::fprintf(stderr, "%s\n", line_of(entry).c_str());
  }
}

void Recorder::note(const core::Action& action, TimePoint now) {
  ++actions_;
  Entry& entry = next_entry(now);
  entry.what = action;
  mix(action.index());
  mix(std::visit(KeyOf{}, action));
  if (trace_) {
    std::fprintf(stderr, "%s\n", line_of(entry).c_str());
  }
}

std::string Recorder::line_of(const Entry& entry) {
  std::array<char, 32> time{};
  std::snprintf(time.data(), time.size(), "%12.6f ", seconds_of(entry.at.time_since_epoch()));
  const Names numbers;
  if (const auto* event = std::get_if<core::Event>(&entry.what)) {
    return time.data() + describe(*event, numbers);
  }
  return std::string(time.data()) + "    -> " +
         describe(std::get<core::Action>(entry.what), numbers);
}

std::string Recorder::last_lines() const {
  std::string text;
  const std::size_t first = count_ > kKept ? count_ - kKept : 0;
  for (std::size_t i = first; i < count_; ++i) {
    text += line_of(entries_[i % kKept]) + "\n";
  }
  return text;
}

}  // namespace hf::sim
