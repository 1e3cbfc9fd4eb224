#include "base/units.h"

#include <gtest/gtest.h>

namespace hf {
namespace {

TEST(ParseBytes, ReadsDecimalBinaryAndBareCounts) {
  EXPECT_EQ(parse_bytes("5GiB")->count, 5LL << 30);
  EXPECT_EQ(parse_bytes("48GB")->count, 48'000'000'000LL);
  EXPECT_EQ(parse_bytes("1.5 MiB")->count, 1572864);
  EXPECT_EQ(parse_bytes("123")->count, 123);
  EXPECT_EQ(parse_bytes(" 0 ")->count, 0);
}

TEST(ParseBytes, RefusesWhatIsNotASize) {
  for (const char* text :
       {"", "-1", "5 gigs", "GiB", "1e3", "nan", "0x10", "5GiBs", "99999999TiB", "5 G"}) {
    EXPECT_FALSE(parse_bytes(text).has_value()) << text;
  }
}

TEST(ParseDuration, ReadsUnits) {
  EXPECT_EQ(*parse_duration("500ms"), std::chrono::milliseconds(500));
  EXPECT_EQ(*parse_duration("30s"), std::chrono::seconds(30));
  EXPECT_EQ(*parse_duration("2m"), std::chrono::minutes(2));
  EXPECT_EQ(*parse_duration("1.5h"), std::chrono::minutes(90));
}

TEST(ParseDuration, RefusesBareNumbersAndNonsense) {
  for (const char* text : {"", "30", "-3s", "soon", "1y", "99999999d"}) {
    EXPECT_FALSE(parse_duration(text).has_value()) << text;
  }
}

TEST(Format, IsShortAndReadable) {
  EXPECT_EQ(format_bytes(Bytes(0)), "0 B");
  EXPECT_EQ(format_bytes(312 * kMiB), "312 MiB");
  EXPECT_EQ(format_bytes(Bytes(5046586573)), "4.70 GiB");
  EXPECT_EQ(format_duration(std::chrono::milliseconds(340)), "340 ms");
  EXPECT_EQ(format_duration(std::chrono::milliseconds(12400)), "12.4 s");
  EXPECT_EQ(format_duration(std::chrono::seconds(200)), "3 min 20 s");
  EXPECT_EQ(format_duration(std::chrono::seconds(7500)), "2 h 5 min");
  EXPECT_EQ(format_percent(96.2), "96.2%");
  EXPECT_EQ(format_percent(100), "100.0%");
  EXPECT_EQ(format_percent(84.96), "85.0%");
}

}  // namespace
}  // namespace hf
