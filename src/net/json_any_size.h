#pragma once
// What a handler of boost::json::basic_parser inherits when the parser is to bound no sizes: the
// text it reads has its own bound. Pure, any thread.

#include <cstddef>
#include <limits>

namespace hf::net {

struct JsonOfAnySize {
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
};

}  // namespace hf::net
