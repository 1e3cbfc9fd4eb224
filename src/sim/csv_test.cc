#include "sim/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hf::sim {
namespace {

using ::testing::ElementsAre;
using Rows = std::vector<std::string>;

// Every row's wanted fields joined by '|', then the error if there is one.
Rows read(std::string_view text, const std::vector<std::string_view>& wanted) {
  Rows rows;
  auto csv = CsvReader::open(text, "t.csv", wanted);
  if (!csv) {
    return {csv.error().message};
  }
  while (true) {
    const auto more = csv->next();
    if (!more) {
      rows.push_back(more.error().message);
      return rows;
    }
    if (!*more) {
      return rows;
    }
    std::string row;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      row += (i == 0 ? "" : "|") + csv->field(i);
    }
    rows.push_back(row);
  }
}

TEST(Csv, FindsColumnsByName) {
  EXPECT_THAT(read("x,b,a\n1,2,3\n4,5,6\n", {"a", "b"}), ElementsAre("3|2", "6|5"));
}

TEST(Csv, PassesOverWhatProgramsAdd) {  // byte order mark, CR, empty lines, no LF at the end
  EXPECT_THAT(read("\xEF\xBB\xBF"
                   "a,b\r\n1,2\r\n\r\n3,",
                   {"a", "b"}),
              ElementsAre("1|2", "3|"));
}

TEST(Csv, QuotedFieldsHoldCommasAndQuotes) {
  EXPECT_THAT(read("a,\"b\"\n\"x,y\",\"say \"\"hi\"\"\"\n\"\",2\n", {"a", "b"}),
              ElementsAre("x,y|say \"hi\"", "|2"));
}

TEST(Csv, SaysWhereARowIsWrong) {
  EXPECT_THAT(read("a,b\n1,2\n\n1,2,3\n", {"a"}),
              ElementsAre("1", "t.csv:4: 3 fields, but the heading has 2"));
  EXPECT_THAT(read("a\n\"x\n", {"a"}),
              ElementsAre("t.csv:2: a quote is not closed, or not closed at the end of its field"));
  EXPECT_THAT(read("a\n\"x\"y\n", {"a"}),
              ElementsAre("t.csv:2: a quote is not closed, or not closed at the end of its field"));
}

TEST(Csv, NamesTheMissingColumn) {
  EXPECT_THAT(read("a,b\n", {"a", "c"}), ElementsAre("t.csv:1: the heading has no column \"c\""));
  EXPECT_THAT(read("", {"a"}), ElementsAre("t.csv: the file is empty"));
}

}  // namespace
}  // namespace hf::sim
