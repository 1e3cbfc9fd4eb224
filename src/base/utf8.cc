#include "base/utf8.h"

namespace hf {

// Unicode 15, table 3-7: only the second byte has a narrower range, by the first.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [text](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&byte](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return text.empty() ? 0 : 1;
  }
  if (first >= 0xC2 && first <= 0xDF) {
    return follows(1) ? 2 : 0;
  }
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) >= 0xA0;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool outside = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90);
    return follows(1) && follows(2) && follows(3) && !outside ? 4 : 0;
  }
  return 0;
}

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      return false;
    }
    const auto first = static_cast<unsigned char>(text[0]);
    const auto last = static_cast<unsigned char>(text[length - 1]);
    if (first < 0x20 || first == 0x7F || (first == 0xC2 && last < 0xA0)) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string valid_utf8(std::string text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  const std::string_view all = text;
  std::size_t good = 0;
  while (good < all.size() && utf8_length(all.substr(good)) > 0) {
    good += utf8_length(all.substr(good));
  }
  if (good == all.size()) {
    return text;
  }
  std::string mended(all.substr(0, good));
  while (good < all.size()) {
    const std::size_t length = utf8_length(all.substr(good));
    mended += length > 0 ? all.substr(good, length) : kReplacement;
    good += length > 0 ? length : 1;
  }
  return mended;
}

}  // namespace hf
