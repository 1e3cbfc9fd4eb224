// `holdfast simulate`: drives the scheduler by seeds, without models and without a clock.
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "app/commands.h"
#include "base/units.h"
#include "sim/simulation.h"

namespace hf::app {
namespace {

namespace json = boost::json;

struct Simulate {
  sim::Options options;
  std::uint64_t seeds = 1;
};

void print(const sim::Outcome& outcome, bool as_json) {
  if (!as_json) {
    std::fputs(outcome.ok
                   ? fmt::format("seed {}: good, {} events in {} of virtual time\n", outcome.seed,
                                 outcome.events, format_duration(outcome.virtual_time))
                         .c_str()
                   : (outcome.report + "\n").c_str(),
               stdout);
    return;
  }
  json::object line{{"seed", outcome.seed},
                    {"ok", outcome.ok},
                    {"events", outcome.events},
                    {"virtual_s", seconds_of(outcome.virtual_time)},
                    {"hash", fmt::format("{:016x}", outcome.hash)}};
  line["violation"] = outcome.ok ? json::value(nullptr) : json::value(outcome.violation);
  std::fputs((json::serialize(line) + "\n").c_str(), stdout);
}

int run_simulate(Simulate simulate, bool as_json) {
  int result = kGood;
  for (std::uint64_t i = 0; i < simulate.seeds; ++i) {
    const sim::Outcome outcome = sim::run_seed(simulate.options);
    print(outcome, as_json);
    result = outcome.ok ? result : kFailed;
    ++simulate.options.seed;
  }
  return result;
}

}  // namespace

void add_simulate(CLI::App& app, Choice& choice) {
  CLI::App* command =
      app.add_subcommand("simulate", "Drive the scheduler by a seed and check its promises");
  const auto simulate = std::make_shared<Simulate>();
  command->add_option("--seed", simulate->options.seed, "The (first) seed")->capture_default_str();
  command->add_option("--seeds", simulate->seeds, "How many, one after the other")
      ->capture_default_str();
  command->add_option("--events", simulate->options.events, "Events of each run")
      ->capture_default_str();
  command->add_flag("--trace", simulate->options.trace, "Print every event and action");
  command->callback([&choice, simulate] {
    choice.run = [&choice, simulate] { return run_simulate(*simulate, choice.json); };
  });
}

}  // namespace hf::app
