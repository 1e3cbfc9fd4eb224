#include "sim/simulate_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <memory>

namespace hf::sim {
namespace {

using ::testing::HasSubstr;

struct Printed {
  int code = -1;
  std::string text;
};

Printed run(const SimulateOptions& options) {
  char* data = nullptr;
  std::size_t size = 0;
  std::FILE* const out = open_memstream(&data, &size);
  Printed printed;
  printed.code = run_simulate(options, out);
  std::fclose(out);
  printed.text.assign(data, size);
  std::free(data);
  return printed;
}

TEST(SimulateCommand, TellsThatAllPromisesHeld) {
  SimulateOptions options;
  options.seeds = 5;
  options.events = 300;
  const Printed printed = run(options);
  EXPECT_EQ(printed.code, 0);
  EXPECT_THAT(printed.text, HasSubstr("5 seeds"));
  EXPECT_THAT(printed.text, HasSubstr("all promises held"));
}

TEST(SimulateCommand, ShowsABrokenPromiseAndFails) {
  SimulateOptions options;
  options.events = 2000;
  options.mutant = core::Mutant::IgnoreLeases;
  const Printed printed = run(options);
  EXPECT_EQ(printed.code, 1);
  EXPECT_THAT(printed.text, HasSubstr("seed 1, event"));
  EXPECT_THAT(printed.text, HasSubstr("a model in use is never unloaded"));
  EXPECT_THAT(printed.text, HasSubstr("the last events and actions"));
}

TEST(SimulateCommand, PrintsOneJsonObject) {
  SimulateOptions options;
  options.seeds = 3;
  options.events = 300;
  options.threads = 2;
  options.json = true;
  const Printed printed = run(options);
  EXPECT_EQ(printed.code, 0);
  EXPECT_THAT(printed.text, ::testing::StartsWith("{\"ok\":true,\"seeds\":3,"));
  EXPECT_THAT(printed.text, ::testing::EndsWith("]}\n"));
  EXPECT_THAT(printed.text, HasSubstr("\"start:head_fits\""));
  EXPECT_THAT(printed.text, HasSubstr("\"coverage_missing\":["));
}

TEST(SimulateCommand, FailsWhereARequiredMarkWasNeverHit) {
  SimulateOptions options;
  options.events = 50;
  EXPECT_EQ(run(options).code, 0);
  options.require_coverage = true;
  const Printed printed = run(options);
  EXPECT_EQ(printed.code, 1);
  EXPECT_THAT(printed.text, HasSubstr("never: "));
}

TEST(SimulateCommand, SearchesForAWaitAboveItsBound) {
  SimulateOptions options;
  options.search = 100;
  EXPECT_THAT(run(options).text, HasSubstr("no wait above its published bound"));
  options.json = true;
  const Printed printed = run(options);
  EXPECT_EQ(printed.code, 0);
  EXPECT_THAT(printed.text, ::testing::StartsWith("{\"ok\":true,\"cases\":100,\"climbs\":1,"));
}

TEST(SimulateCommand, ShowsTheCaseThatBrokeABound) {
  SimulateOptions options;
  options.search = 200;
  options.mutant = core::Mutant::GateAfterQueue;
  const Printed printed = run(options);
  EXPECT_EQ(printed.code, 1);
  EXPECT_THAT(printed.text, HasSubstr("--search 200 --seed 1 --show"));
}

TEST(SimulateCommand, KnowsTheMutantsByName) {
  EXPECT_EQ(mutant_named("no-owner"), core::Mutant::NoOwner);
  EXPECT_EQ(mutant_named("bound-counts-loads-aside"), core::Mutant::BoundCountsLoadsAside);
  EXPECT_EQ(mutant_named("none"), core::Mutant::None);
  EXPECT_EQ(mutant_named("other"), std::nullopt);
}

}  // namespace
}  // namespace hf::sim
