#include "api/text.h"

#include <gtest/gtest.h>

namespace hf::api {
namespace {

TEST(Presentable, KeepsValidText) {
  EXPECT_EQ(presentable("org/name:7b"), "org/name:7b");
  EXPECT_EQ(presentable("модель 🛡️"), "модель 🛡️");
  EXPECT_EQ(presentable(""), "");
}

TEST(Presentable, ReplacesWhatIsNoText) {
  EXPECT_EQ(presentable("a\xff"
                        "b"),
            "a?b");
  EXPECT_EQ(presentable("a\r\nb\x7f"), "a??b?");
  EXPECT_EQ(presentable("\xc0\xaf"), "??");            // overlong
  EXPECT_EQ(presentable("\xed\xa0\x80"), "???");       // surrogate
  EXPECT_EQ(presentable("\xf4\x90\x80\x80"), "????");  // beyond U+10FFFF
  EXPECT_EQ(presentable("x\xd0"), "x?");               // cut
}

TEST(Presentable, IsBoundedAndNeverCutsACharacter) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "ж";
  }
  const std::string shown = presentable("a" + text);
  EXPECT_LE(shown.size(), kPresentableBytes + 3);
  EXPECT_EQ(shown, presentable(shown.substr(0, shown.size() - 3)) + "…");
}

}  // namespace
}  // namespace hf::api
