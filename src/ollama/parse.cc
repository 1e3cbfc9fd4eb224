#include "ollama/parse.h"

#include <algorithm>
#include <boost/json/memory_resource.hpp>
#include <boost/json/parser.hpp>
#include <cstdlib>
#include <new>
#include <utility>

#include "ollama/json.h"

namespace hf::ollama {
namespace {

namespace json = boost::json;

// The same depth that the first look at a body allows (net/json_fields.h).
constexpr std::size_t kDepthMax = 512;
// What an honest body takes: its texts twice while they are put together, once more for the
// growth, and some dozen bytes for each of its 200,000 parts.
constexpr std::size_t kBytesPerByte = 4;
constexpr std::size_t kBytesMin = 48U * 1024 * 1024;

// By malloc: the library gives texts back with another alignment than it took them with. All that
// it asks for is below malloc's own.
class LimitedMemory final : public json::memory_resource {
 public:
  explicit LimitedMemory(std::size_t limit) : left_(limit) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t /*alignment*/) override {
    void* memory = bytes <= left_ ? std::malloc(bytes) : nullptr;
    if (memory == nullptr) {
      throw std::bad_alloc();
    }
    left_ -= bytes;
    return memory;
  }
  void do_deallocate(void* memory, std::size_t bytes, std::size_t /*alignment*/) override {
    std::free(memory);
    left_ += bytes;
  }
  bool do_is_equal(const json::memory_resource& other) const noexcept override {
    return this == &other;
  }

  std::size_t left_;
};

bool has_infinite(const json::value& value) {
  if (const double* number = value.if_double()) {
    return !(*number - *number == 0);
  }
  if (const json::array* list = value.if_array()) {
    return std::any_of(list->begin(), list->end(), has_infinite);
  }
  const json::object* object = value.if_object();
  return object != nullptr &&
         std::any_of(object->begin(), object->end(),
                     [](const json::key_value_pair& pair) { return has_infinite(pair.value()); });
}

}  // namespace

Checked<json::object> parse_object(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  const auto memory =
      json::make_shared_resource<LimitedMemory>(kBytesMin + kBytesPerByte * text.size());
  boost::system::error_code ec;
  try {
    json::parser parser(memory, options);
    parser.reset(memory);
    parser.write(text.data(), text.size(), ec);
    if (ec) {
      return wrong("the body is not valid JSON: " + ec.message());
    }
    // By construction: an assignment would copy all of it to memory without a limit.
    json::value value(parser.release());
    json::object* object = value.if_object();
    if (object == nullptr) {
      return wrong("the body is not a JSON object");
    }
    if (has_infinite(value)) {
      return wrong("the body holds a number that is too large");
    }
    return std::move(*object);
  } catch (const std::bad_alloc&) {
    return wrong("the body holds too many values");
  }
}

}  // namespace hf::ollama
