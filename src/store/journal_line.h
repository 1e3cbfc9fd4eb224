#pragma once
// One line of the journal as JSON, built field by field in a fixed order. It exists so that every
// event spells its fields alike and escapes them right: model names and reasons come from outside.
// Value type.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hf::store {

// A text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD, so the line is
// always valid JSON; control characters, and with them line ends, are escaped.
std::string json_quoted(std::string_view text);

class JournalLine {
 public:
  // `t_ms`: monotonic milliseconds. `event`: "spawn", "ready", "grant", "release", "gate",
  // "stop_signal", "exit", "refuse", "cleanup", …
  JournalLine(std::int64_t t_ms, std::string_view event);

  JournalLine& model(std::string_view name);
  JournalLine& generation(std::uint32_t number);
  JournalLine& pid(int number);
  JournalLine& leases(int after_the_event);
  JournalLine& request(std::string_view id);
  JournalLine& user(std::string_view name);  // nothing if it is empty: there are no keys
  JournalLine& reason(std::string_view text);
  // Further fields. Requires: `key` is a plain word of ours, it is not escaped.
  JournalLine& text(std::string_view key, std::string_view value);
  JournalLine& number(std::string_view key, std::int64_t value);
  JournalLine& texts(std::string_view key, const std::vector<std::string>& values);

  // The line without a line end.
  std::string str() const { return text_ + '}'; }

 private:
  std::string text_;
};

}  // namespace hf::store
