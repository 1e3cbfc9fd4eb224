#include "store/journal_line.h"

#include <cstddef>

#include "base/utf8.h"

namespace hf::store {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void append_ascii(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  if (c == '"' || c == '\\') {
    out += '\\';
    out += c;
  } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
    out += "\\u00";
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  } else {
    out += c;
  }
}

}  // namespace

std::string json_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) {
      out += kReplacement;
      ++at;
    } else if (length == 1) {
      append_ascii(out, text[at++]);
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  out += '"';
  return out;
}

JournalLine::JournalLine(std::int64_t t_ms, std::string_view event)
    : text_("{\"t_ms\":" + std::to_string(t_ms) + ",\"event\":" + json_quoted(event)) {}

JournalLine& JournalLine::model(std::string_view name) {
  return text("model", name);
}
JournalLine& JournalLine::generation(std::uint32_t value) {
  return number("generation", value);
}
JournalLine& JournalLine::pid(int value) {
  return number("pid", value);
}
JournalLine& JournalLine::leases(int after_the_event) {
  return number("leases", after_the_event);
}
JournalLine& JournalLine::request(std::string_view id) {
  return text("request", id);
}
JournalLine& JournalLine::user(std::string_view name) {
  return name.empty() ? *this : text("user", name);
}
JournalLine& JournalLine::reason(std::string_view why) {
  return text("reason", why);
}

JournalLine& JournalLine::text(std::string_view key, std::string_view value) {
  text_ += ",\"";
  text_ += key;
  text_ += "\":";
  text_ += json_quoted(value);
  return *this;
}

JournalLine& JournalLine::number(std::string_view key, std::int64_t value) {
  text_ += ",\"";
  text_ += key;
  text_ += "\":";
  text_ += std::to_string(value);
  return *this;
}

JournalLine& JournalLine::texts(std::string_view key, const std::vector<std::string>& values) {
  text_ += ",\"";
  text_ += key;
  text_ += "\":[";
  for (std::size_t i = 0; i < values.size(); ++i) {
    text_ += (i == 0 ? "" : ",") + json_quoted(values[i]);
  }
  text_ += ']';
  return *this;
}

}  // namespace hf::store
