#include "app/terminal.h"

#include <gtest/gtest.h>

namespace hf::app {
namespace {

TEST(Table, AlignsColumnsByCharacters) {
  Table table({{"NAME"}, {"USES", true}, {"STATE"}});
  table.add({"модель", "7", "ready"});
  table.add({"b", "1234", ""});
  EXPECT_EQ(table.text(),
            "NAME    USES  STATE\n"
            "модель     7  ready\n"
            "b       1234\n");
}

TEST(Table, EmptyIsItsHeading) {
  EXPECT_EQ(Table({{"NAME"}, {"STATE"}}).text(), "NAME  STATE\n");
}

TEST(Table, ShortRowsAreFilled) {
  Table table({{"A"}, {"B", true}});
  table.add({"x"});
  EXPECT_EQ(table.text(), "A  B\nx\n");
}

}  // namespace
}  // namespace hf::app
