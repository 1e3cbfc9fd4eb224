#include "store/journal_line.h"

#include <gtest/gtest.h>

namespace hf::store {
namespace {

TEST(JournalLine, WritesTheFieldsInOrder) {
  EXPECT_EQ(JournalLine(12, "grant")
                .model("q/8b")
                .generation(3)
                .pid(4711)
                .leases(2)
                .request("r-1")
                .reason("slot free")
                .str(),
            R"({"t_ms":12,"event":"grant","model":"q/8b","generation":3,"pid":4711,"leases":2,)"
            R"("request":"r-1","reason":"slot free"})");
}

TEST(JournalLine, MayBeShortAndMayHaveFurtherFields) {
  EXPECT_EQ(JournalLine(0, "cleanup").str(), R"({"t_ms":0,"event":"cleanup"})");
  EXPECT_EQ(JournalLine(0, "exit").number("status", -9).text("by", "us").str(),
            R"({"t_ms":0,"event":"exit","status":-9,"by":"us"})");
}

TEST(JournalLine, NamesAUserWhereThereIsOne) {
  EXPECT_EQ(JournalLine(0, "grant").request("7").user("ann").str(),
            R"({"t_ms":0,"event":"grant","request":"7","user":"ann"})");
  EXPECT_EQ(JournalLine(0, "grant").user("").str(), R"({"t_ms":0,"event":"grant"})");
}

TEST(JsonQuoted, EscapesWhatJsonForbids) {
  EXPECT_EQ(json_quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_quoted("a\nb\tc\x7f"), R"("a\u000ab\u0009c\u007f")");
  EXPECT_EQ(json_quoted(std::string_view("\0x", 2)), R"("\u0000x")");
  EXPECT_EQ(json_quoted(""), R"("")");
}

TEST(JsonQuoted, KeepsUtf8AndReplacesWhatIsNot) {
  EXPECT_EQ(json_quoted("модель 🚨"), "\"модель 🚨\"");
  const std::string bad = "\xEF\xBF\xBD";
  EXPECT_EQ(json_quoted("\xff"), '"' + bad + '"');
  EXPECT_EQ(json_quoted("a\xC3"), "\"a" + bad + '"');                      // cut
  EXPECT_EQ(json_quoted("\xC0\xAF"), '"' + bad + bad + '"');               // overlong
  EXPECT_EQ(json_quoted("\xED\xA0\x80x"), '"' + bad + bad + bad + "x\"");  // a surrogate
  EXPECT_EQ(json_quoted("\xF4\x90\x80\x80"), '"' + bad + bad + bad + bad + '"');
}

TEST(JournalLine, WritesListsOfTexts) {
  EXPECT_EQ(JournalLine(1, "reload").texts("added", {"a", "b\""}).texts("removed", {}).str(),
            R"({"t_ms":1,"event":"reload","added":["a","b\""],"removed":[]})");
}

}  // namespace
}  // namespace hf::store
