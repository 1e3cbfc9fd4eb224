#include "engine/speeds.h"

#include <gtest/gtest.h>

namespace hf::engine {
namespace {

Speeds speeds(std::optional<double> decode, std::optional<double> prefill) {
  return {store::SlowestRate(decode), store::SlowestRate(prefill)};
}

TEST(KnownSpeeds, AreThoseOfTheKeyItself) {
  const SpeedTable table{{{"file", "8192", "v1"}, speeds(20, 200)},
                         {{"file", "4096", "v1"}, speeds(10, 100)}};
  const KnownSpeeds known = known_speeds(table, {"file", "8192", "v1"});
  EXPECT_EQ(known.decode, 20);
  EXPECT_EQ(known.prefill, 200);
}

TEST(KnownSpeeds, OfOtherOptionsStandInRateByRate) {
  const SpeedTable table{{{"file", "2048", "v1"}, speeds(30, 100)},
                         {{"file", "4096", "v1"}, speeds(10, 300)},
                         {{"file", "8192", "v1"}, speeds(20, std::nullopt)}};
  const KnownSpeeds partly = known_speeds(table, {"file", "8192", "v1"});
  EXPECT_EQ(partly.decode, 20);
  EXPECT_EQ(partly.prefill, 100);
  const KnownSpeeds fresh = known_speeds(table, {"file", "1024", "v1"});
  EXPECT_EQ(fresh.decode, 10);
  EXPECT_EQ(fresh.prefill, 100);
}

TEST(KnownSpeeds, OfAnotherFileOrEngineSayNothing) {
  const SpeedTable table{{{"file", "8192", "v1"}, speeds(20, 200)},
                         {{"file2", "8192", "v2"}, speeds(20, 200)},
                         {{"fil", "8192", "v2"}, speeds(20, 200)}};
  const KnownSpeeds known = known_speeds(table, {"file", "8192", "v2"});
  EXPECT_EQ(known.decode, std::nullopt);
  EXPECT_EQ(known.prefill, std::nullopt);
}

}  // namespace
}  // namespace hf::engine
