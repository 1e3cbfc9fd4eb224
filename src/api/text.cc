#include "api/text.h"

#include <algorithm>

#include "base/utf8.h"

namespace hf::api {

std::string presentable(std::string_view text, std::size_t bytes_max) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const bool control = length == 1 && (text[0] < ' ' || text[0] == '\x7f');
    if (result.size() + std::max<std::size_t>(length, 1) > bytes_max) {
      return result + "…";
    }
    if (length == 0 || control) {
      result += '?';
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

}  // namespace hf::api
