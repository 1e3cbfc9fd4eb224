// `holdfast simulate`: drives the scheduler by seeds or by a recorded trace, without models and
// without a clock.
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/commands.h"
#include "app/terminal.h"
#include "base/units.h"
#include "sim/physics.h"
#include "sim/replay_report.h"
#include "sim/simulate_command.h"

namespace hf::app {
namespace {

// More would take weeks: a typing error, or a number below zero that wrapped around.
constexpr double kMostRuns = 1e12;

struct Simulate {
  sim::SimulateOptions options;
  std::string mutant = "none";
};

// The words of a replay, as they were typed.
struct Replay {
  std::optional<std::string> trace;
  std::string sizes = "1";
  std::string budget;
  std::string policy = "holdfast";
  std::string patience, turn, request_limit, stop;  // empty: as the server's default
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

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  std::string text;
  std::array<char, 65536> block{};
  while (file) {
    const std::size_t got = std::fread(block.data(), 1, block.size(), file.get());
    text.append(block.data(), got);
    if (got < block.size()) {
      break;
    }
  }
  if (!file || std::ferror(file.get()) != 0) {  // a folder opens and then cannot be read
    return fail(Errc::Io, path + ": " + std::strerror(errno), errno);
  }
  return text;
}

Result<sim::Trace> read_trace(const std::string& path) {
  const Result<std::string> text = read_file(path);
  if (!text) {
    return fail(text.error());
  }
  return sim::parse_trace(*text, path);
}

// An integer is a seed; everything else is a file.
Result<std::vector<Bytes>> sizes_of(const std::string& word, const sim::Trace& trace,
                                    Bytes budget) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), seed);
  if (error == std::errc{} && end == word.data() + word.size()) {
    return sim::sizes_by_seed(trace.models.size(), budget, seed);
  }
  const Result<std::string> text = read_file(word);
  if (!text) {
    return fail(text.error());
  }
  return sim::parse_sizes(*text, word, trace.models);
}

Status set_duration(const std::string& word, const char* flag, bool may_be_zero,
                    std::optional<Duration>& value) {
  if (word.empty()) {
    return {};
  }
  const Result<Duration> duration = parse_duration(word);
  if (!duration) {
    return fail(Error(duration.error()).with_context(flag));
  }
  if (*duration == Duration::zero() && !may_be_zero) {
    return fail(Errc::InvalidArgument, std::string(flag) + ": more than zero is needed");
  }
  value = *duration;
  return {};
}

Result<sim::ReplayOptions> options_of(const Replay& replay) {
  sim::ReplayOptions options;
  const Result<Bytes> budget = parse_bytes(replay.budget);
  if (!budget) {
    return fail(Error(budget.error()).with_context("--budget"));
  }
  if (*budget < kMiB) {
    return fail(Errc::InvalidArgument,
                "--budget: at least 1 MiB is needed; a number alone counts bytes");
  }
  options.limits.budget = core::Footprint::host(*budget);
  const auto policy = sim::policy_named(replay.policy);
  if (!policy) {
    return fail(Errc::InvalidArgument, "--policy: there is no policy \"" + replay.policy +
                                           "\" (holdfast, lru, lfu, gdsf or largest)");
  }
  options.limits.policy = *policy;
  std::optional<Duration> patience, stop;
  for (const Status& set :
       {set_duration(replay.patience, "--patience", false, patience),
        set_duration(replay.turn, "--turn", true, options.limits.turn),
        set_duration(replay.request_limit, "--request-limit", false, options.limits.request_limit),
        set_duration(replay.stop, "--stop", true, stop)}) {
    if (!set) {
      return fail(set.error());
    }
  }
  options.limits.patience = patience.value_or(options.limits.patience);
  options.stop = stop.value_or(options.stop);
  return options;
}

int run_replay(const Replay& replay, bool as_json) {
  Result<sim::ReplayOptions> options = options_of(replay);
  if (!options) {
    print_error(options.error().message);
    return kWrongUsage;
  }
  const Result<sim::Trace> trace = read_trace(*replay.trace);
  if (!trace) {
    print_error(trace.error().message);
    return kFailed;
  }
  Result<std::vector<Bytes>> sizes = sizes_of(replay.sizes, *trace, options->limits.budget.total());
  if (!sizes) {
    print_error(sizes.error().message);
    return kFailed;
  }
  options->sizes = std::move(*sizes);
  const sim::ReplayResult result = sim::replay(*trace, *options);
  const core::VictimPolicy policy = options->limits.policy;
  const std::string report =
      as_json ? sim::replay_json(result, policy) : sim::replay_text(*trace, result, policy);
  std::fputs(report.c_str(), stdout);
  return result.late.empty() ? kGood : kFailed;  // a wait beyond its bound is a broken promise
}

void add_replay_flags(CLI::App& command, Replay& replay, const std::vector<CLI::Option*>& others) {
  CLI::Option* const trace = command.add_option(
      "--trace", replay.trace,
      "Replay this CSV instead: t_seconds,model,user,prompt_tokens,output_tokens");
  for (CLI::Option* const other : others) {
    trace->excludes(other);
  }
  const auto add = [&](const char* flag, std::string& word, const char* help) {
    return command.add_option(flag, word, help)->needs(trace)->group("With --trace");
  };
  add("--sizes", replay.sizes, "A CSV with model,bytes, or a seed that deals out common sizes")
      ->capture_default_str();
  trace->needs(add("--budget", replay.budget, "Memory for models, for example 48GB"));
  add("--policy", replay.policy, "Which idle model leaves: holdfast, lru, lfu, gdsf, largest")
      ->capture_default_str();
  add("--patience", replay.patience, "As in the configuration (30s)");
  add("--turn", replay.turn, "As in the configuration (by the load time)");
  add("--request-limit", replay.request_limit, "As in the configuration (off)");
  add("--stop", replay.stop, "How long it takes to stop a model (0s)");
}

}  // namespace

void add_simulate(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "simulate", "Drive the scheduler by seeds or by a trace, and check its promises");
  const auto simulate = std::make_shared<Simulate>();
  sim::SimulateOptions& set = simulate->options;
  set.threads = std::max(1U, std::thread::hardware_concurrency());
  const std::vector<CLI::Option*> by_seed{
      command->add_option("--seed", set.seed, "The first seed")->capture_default_str(),
      command->add_option("--seeds", set.seeds, "How many, counted up from it")
          ->capture_default_str()
          ->check(CLI::Range(1.0, kMostRuns)),
      command->add_option("--events", set.events, "Events of each run")
          ->capture_default_str()
          ->check(CLI::Range(1.0, kMostRuns)),
      command->add_option("--threads", set.threads, "Runs at once")
          ->capture_default_str()
          ->check(CLI::Range(1, 1024)),
      command->add_option("--mutant", simulate->mutant, "A deliberate fault that must be found")
          ->capture_default_str(),
      command->add_flag("--show", set.trace, "Print every event and action (one seed)"),
      command->add_flag("--require-coverage", set.require_coverage,
                        "Fail if a decision or a situation of the rules never came up"),
      command
          ->add_option("--search", set.search,
                       "Adversarial searches for a wait above its bound, instead of seeds")
          ->check(CLI::Range(1.0, kMostRuns))};
  const auto replay = std::make_shared<Replay>();
  add_replay_flags(*command, *replay, by_seed);
  command->callback([&choice, simulate, replay] {
    choice.run = [&choice, simulate, replay] {
      return replay->trace ? run_replay(*replay, choice.json) : run(*simulate, choice.json);
    };
  });
}

}  // namespace hf::app
