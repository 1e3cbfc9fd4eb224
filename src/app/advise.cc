// `holdfast advise`: what other budgets, pins and quantisations would have given, by replaying the
// recorded history. Reads the history file; it needs no server and disturbs none.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "advise/advice.h"
#include "advise/report.h"
#include "advise/words.h"
#include "app/commands.h"
#include "app/gnuplot.h"
#include "app/reloader.h"
#include "app/terminal.h"
#include "base/units.h"
#include "engine/queue_limits.h"
#include "engine/wall_clock_watch.h"
#include "store/store.h"

namespace hf::app {
namespace {

// Up to ten microseconds a request in each of some twenty scenarios: ten seconds on two cores.
constexpr std::int64_t kUsualRequests = 100'000;

struct Words {
  std::string config_file, history, since, budget, svg;
  std::int64_t requests = kUsualRequests;
};

struct Question {
  std::filesystem::path history;
  std::int64_t since_ms = 0;
  std::optional<Bytes> budget;
  advise::Language language = advise::Language::English;
  core::Limits limits;
  std::optional<Bytes> configured_budget;
};

Result<Question> question_of(const Words& words) {
  const Result<config::Config> config = ConfigSource(words.config_file, {}).first();
  if (!config) {
    return fail(Errc::InvalidArgument,
                "the configuration is not usable\n" + config.error().message);
  }
  Question question;
  question.history =
      words.history.empty() ? config->store.path : std::filesystem::path(words.history);
  question.limits = engine::queue_limits(*config);
  question.configured_budget = config->memory.budget;
  question.language = config->log.language == config::Language::Russian ? advise::Language::Russian
                                                                        : advise::Language::English;
  if (!words.since.empty()) {
    const Result<Duration> since = parse_duration(words.since);
    if (!since) {
      return fail(Error(since.error()).with_context("--since"));
    }
    question.since_ms = engine::wall_clock_ms() - millis_of(*since);
  }
  if (!words.budget.empty()) {
    const Result<Bytes> budget = parse_bytes(words.budget);
    if (!budget) {
      return fail(Error(budget.error()).with_context("--budget"));
    }
    question.budget = *budget;
  }
  return question;
}

// The flag, else what the server went by, else the configuration. A flag is about host RAM; the
// cards stay as they were.
core::Footprint budget_of(const Question& question, const core::Footprint& recorded) {
  core::Footprint budget = recorded;
  Bytes& host = budget.in[core::kHostRam];
  if (question.budget) {
    host = *question.budget;
  } else if (recorded.empty() && question.configured_budget) {
    host = *question.configured_budget;
  }
  return budget;
}

Result<advise::Case> read_case(const Question& question, std::int64_t most) {
  Result<store::Store> store = store::Store::open_to_read(question.history);
  if (!store) {
    return fail(std::move(store.error()));
  }
  const Result<store::RequestLog> log = store->load_requests({question.since_ms, most});
  if (!log) {
    return fail(log.error());
  }
  core::Limits limits = question.limits;
  limits.budget = budget_of(question, log->budget);
  return advise::make_case(*log, limits);
}

// Only for a person who waits: a line that replaces itself.
class ProgressLine {
 public:
  void show(const advise::Progress& progress) {
    const bool long_enough = std::chrono::steady_clock::now() - begun_ > std::chrono::seconds(1);
    if (::isatty(STDERR_FILENO) != 0 && long_enough) {
      std::fprintf(stderr, "\r\x1b[Kreplaying (%zu of %zu)", progress.done, progress.all);
      shown_ = true;
    }
  }
  void wipe() const {
    if (shown_) {
      std::fputs("\r\x1b[K", stderr);
    }
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  bool shown_ = false;
};

std::string table_of(const advise::Case& history, const advise::Advice& advice,
                     advise::Language language) {
  std::vector<Table::Column> columns;
  for (const std::string& heading : advise::headings(language)) {
    columns.push_back({heading, !columns.empty()});
  }
  Table table(std::move(columns));
  for (std::size_t i = 0; i < advice.replayed.size(); ++i) {
    const advise::Replayed& one = advice.replayed[i];
    const Colour colour = i == advice.present ? Colour::Bold : Colour::None;
    table.add({coloured(colour, advise::name_of(history, one.scenario, language)),
               format_bytes(advise::budget_of(history, one.scenario).total()),
               advise::count_text(one.figures.loads, language), format_duration(one.figures.waited),
               format_duration(one.figures.wait.mean), format_duration(one.figures.wait.p95),
               advise::count_text(one.figures.unserved, language)});
  }
  return table.text();
}

void print_advice(const advise::Case& history, const advise::Advice& advice,
                  advise::Language language) {
  std::string text;
  for (const std::string& line : advise::verdict(history, advice, language)) {
    text += coloured(text.empty() ? Colour::Bold : Colour::None, line) + "\n";
  }
  text += advise::trust_line(history, advice, language) + "\n\n";
  text += advise::basis(history, language) + "\n\n";
  text += table_of(history, advice, language) + "\n";
  for (const std::string& line : advise::notes(history, language)) {
    text += coloured(Colour::Dim, line) + "\n";
  }
  std::fputs(text.c_str(), stdout);
}

int draw(const std::string& script, const std::string& file) {
  const Status drawn = draw_with_gnuplot(script, file);
  if (drawn) {
    return kGood;
  }
  const bool missing = drawn.error().code == Errc::NotFound;
  print_error("--svg: " + drawn.error().message,
              missing ? "apt-get install --no-install-recommends gnuplot-nox" : "");
  return kFailed;
}

int run_advise(const Words& words, bool as_json) {
  const Result<Question> question = question_of(words);
  if (!question) {
    print_error(question.error().message);
    return kWrongUsage;
  }
  Result<advise::Case> history = read_case(*question, words.requests);
  if (!history && history.error().code == Errc::NotFound && words.history.empty()) {
    history = advise::make_case({}, question->limits);  // no server has run yet
  }
  if (!history) {
    print_error(history.error().message, "--history FILE names another file");
    return kFailed;
  }
  const advise::Language language = question->language;
  const bool enough = history->trace.rows.size() >= advise::kLeastRequests;
  if (enough && history->limits.budget.empty()) {
    print_error("the history does not say what the budget is", "give it: --budget 48GiB");
    return kFailed;
  }
  if (!enough) {
    const std::string text = as_json ? advise::to_json(*history, nullptr, language)
                                     : advise::too_little(*history, language) + "\n";
    std::fputs(text.c_str(), stdout);
    return kGood;
  }
  ProgressLine line;
  const advise::Advice advice =
      advise::advise(*history, std::max(1U, std::thread::hardware_concurrency()),
                     [&line](const advise::Progress& progress) { line.show(progress); });
  line.wipe();
  if (as_json) {
    std::fputs(advise::to_json(*history, &advice, language).c_str(), stdout);
  } else {
    print_advice(*history, advice, language);
  }
  return words.svg.empty() ? kGood
                           : draw(advise::plot_script(*history, advice, language), words.svg);
}

}  // namespace

void add_advise(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "advise", "What other budgets, pins or quantisations would have given, from the history");
  const auto words = std::make_shared<Words>();
  command->add_option("--config", words->config_file,
                      "Configuration file (default: HOLDFAST_CONFIG, ./holdfast.toml, …)");
  command->add_option("--history", words->history, "History file (default: store.path)");
  command->add_option("--since", words->since, "Only the last …, for example 7d");
  command->add_option("--budget", words->budget,
                      "The present budget, if it is not what the server went by");
  command->add_option("--requests", words->requests, "Replay at most so many, the newest")
      ->capture_default_str()
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{200'000}));
  command->add_option("--svg", words->svg, "Draw cold loads and waiting over the budget (gnuplot)");
  command->callback([&choice, words] {
    choice.run = [&choice, words] { return run_advise(*words, choice.json); };
  });
}

}  // namespace hf::app
