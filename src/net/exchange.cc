#include "net/exchange.h"

#include <algorithm>

namespace hf::net {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

bool header_equals(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view RequestHead::header(std::string_view name) const {
  for (const Header& each : headers) {
    if (header_equals(each.name, name)) {
      return each.value;
    }
  }
  return {};
}

}  // namespace hf::net
