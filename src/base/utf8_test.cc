#include "base/utf8.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace hf {
namespace {

// As Unicode writes it, also for what must not be written.
std::string encoded(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80U | ((c >> shift) & 0x3FU)); };
  if (c < 0x80) {
    return {static_cast<char>(c)};
  }
  if (c < 0x800) {
    return {static_cast<char>(0xC0U | (c >> 6)), tail(0)};
  }
  if (c < 0x10000) {
    return {static_cast<char>(0xE0U | (c >> 12)), tail(6), tail(0)};
  }
  return {static_cast<char>(0xF0U | (c >> 18)), tail(12), tail(6), tail(0)};
}

TEST(Utf8Length, KnowsEveryCharacterThatThereIs) {
  for (char32_t c = 0; c <= 0x110000; ++c) {
    const std::string text = encoded(c);
    const bool surrogate = c >= 0xD800 && c <= 0xDFFF;
    ASSERT_EQ(utf8_length(text), surrogate || c > 0x10FFFF ? 0 : text.size())
        << static_cast<std::uint32_t>(c);
    ASSERT_EQ(utf8_length(text + "x"), utf8_length(text)) << static_cast<std::uint32_t>(c);
  }
}

TEST(Utf8Length, IsZeroForWhatIsCutOverlongOrNoStart) {
  EXPECT_EQ(utf8_length(""), 0U);
  for (const char* text : {"\xd0", "\xe2\x82", "\xf0\x9f\x92", "\xd0x", "\x80", "\xbf", "\xff",
                           "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf5"}) {
    EXPECT_EQ(utf8_length(text), 0U) << text;
  }
}

TEST(Utf8, ControlCharactersAreNotPrintable) {
  for (const char* text : {"", "a b", "ü€𐍈", "\u00A0"}) {
    EXPECT_TRUE(is_printable(text)) << text;
  }
  for (const char* text : {"a\x1b[31m", "\x7f", "a\n", "\u009B1m", "a\xff", "a\xc3"}) {
    EXPECT_FALSE(is_printable(text)) << text;
  }
}

TEST(ValidUtf8, ReplacesEachByteThatIsNone) {
  EXPECT_EQ(valid_utf8(""), "");
  EXPECT_EQ(valid_utf8("a\u00E9\u20AC"), "a\u00E9\u20AC");
  EXPECT_EQ(valid_utf8("a\xC3"), "a\uFFFD");
  EXPECT_EQ(valid_utf8("\xFFz\xE2\x82"), "\uFFFDz\uFFFD\uFFFD");
}

}  // namespace
}  // namespace hf
