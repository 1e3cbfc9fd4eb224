// `holdfast simulate`: drives the scheduler by seeds, without models and without a clock.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "app/commands.h"
#include "app/terminal.h"
#include "sim/simulate_command.h"

namespace hf::app {
namespace {

struct Simulate {
  sim::SimulateOptions options;
  std::string mutant = "none";
};

int run(Simulate simulate, bool as_json) {
  const auto mutant = sim::mutant_named(simulate.mutant);
  if (!mutant) {
    print_error("there is no mutant \"" + simulate.mutant + "\"",
                "for example: ignore-leases, or none");
    return kWrongUsage;
  }
  simulate.options.mutant = *mutant;
  simulate.options.json = as_json;
  return sim::run_simulate(simulate.options, stdout);
}

}  // namespace

void add_simulate(CLI::App& app, Choice& choice) {
  CLI::App* command =
      app.add_subcommand("simulate", "Drive the scheduler by seeds and check its promises");
  const auto simulate = std::make_shared<Simulate>();
  sim::SimulateOptions& set = simulate->options;
  set.threads = std::max(1U, std::thread::hardware_concurrency());
  command->add_option("--seed", set.seed, "The first seed")->capture_default_str();
  command->add_option("--seeds", set.seeds, "How many, counted up from it")->capture_default_str();
  command->add_option("--events", set.events, "Events of each run")->capture_default_str();
  command->add_option("--threads", set.threads, "Runs at once")->capture_default_str();
  command->add_option("--mutant", simulate->mutant, "A deliberate fault that must be found")
      ->capture_default_str();
  command->add_flag("--show", set.trace, "Print every event and action (one seed)");
  command->callback([&choice, simulate] {
    choice.run = [&choice, simulate] { return run(*simulate, choice.json); };
  });
}

}  // namespace hf::app
