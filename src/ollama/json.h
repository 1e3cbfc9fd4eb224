#pragma once
// What the translations ask of a JSON value. In Ollama's API a null is as good as a missing field
// (its server is written in Go), so null members are not there for who looks. Pure, any thread.

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace hf::ollama {

// The member, unless it is missing or null.
inline const boost::json::value* member(const boost::json::object& object, std::string_view key) {
  const boost::json::value* found = object.if_contains(key);
  return found != nullptr && !found->is_null() ? found : nullptr;
}

inline std::string_view view(const boost::json::string& text) {
  return {text.data(), text.size()};
}
inline std::string_view view(boost::json::string_view text) {
  return {text.data(), text.size()};
}

// The member's text; empty if it is none.
inline std::string_view text_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* found = member(object, key);
  const boost::json::string* text = found != nullptr ? found->if_string() : nullptr;
  return text != nullptr ? view(*text) : std::string_view();
}

// The member's object or array; null if it is none.
inline const boost::json::object* object_at(const boost::json::object& object,
                                            std::string_view key) {
  const boost::json::value* found = member(object, key);
  return found != nullptr ? found->if_object() : nullptr;
}
inline const boost::json::array* array_at(const boost::json::object& object, std::string_view key) {
  const boost::json::value* found = member(object, key);
  return found != nullptr ? found->if_array() : nullptr;
}

// The first element of the member's array, if both are what is expected; else null.
inline const boost::json::object* first_at(const boost::json::object& object,
                                           std::string_view key) {
  const boost::json::array* list = array_at(object, key);
  return list != nullptr && !list->empty() ? list->front().if_object() : nullptr;
}

}  // namespace hf::ollama
