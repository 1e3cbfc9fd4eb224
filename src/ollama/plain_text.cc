#include "ollama/plain_text.h"

#include <boost/json/serialize.hpp>
#include <charconv>
#include <iterator>

namespace hf::ollama {
namespace {

namespace json = boost::json;

// Recursion: the parser has bounded the depth.
void append(std::string& out, const json::value& value) {
  if (const json::array* list = value.if_array()) {
    const char* before = "[";
    for (const json::value& each : *list) {
      out += before;
      append(out, each);
      before = ",";
    }
    out += list->empty() ? "[]" : "]";
  } else if (const json::object* object = value.if_object()) {
    const char* before = "{";
    for (const json::key_value_pair& pair : *object) {
      out += before + json::serialize(pair.key()) + ":";
      append(out, pair.value());
      before = ",";
    }
    out += object->empty() ? "{}" : "}";
  } else if (const double* number = value.if_double()) {
    char buffer[32];
    const auto [end, error] = std::to_chars(std::begin(buffer), std::end(buffer), *number);
    out.append(buffer, end);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string plain_text(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace hf::ollama
