#include "advise/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/units.h"
#include "sim/replay_report.h"

namespace hf::advise {
namespace {

namespace json = boost::json;

constexpr double kBytesPerGiB = 1024.0 * 1024 * 1024;

const char* kind_name(Kind kind) {
  switch (kind) {
    case Kind::Budget:
      return "budget";
    case Kind::Pin:
      return "pin";
    case Kind::Quantisation:
      return "quantisation";
    case Kind::Policy:
      return "policy";
  }
  return "";
}

const char* trust_name(Trust trust) {
  switch (trust) {
    case Trust::Good:
      return "good";
    case Trust::Fair:
      return "fair";
    case Trust::Poor:
      return "poor";
  }
  return "";
}

// Milliseconds are what the record holds; more digits would be noise.
double seconds(Duration duration) {
  return static_cast<double>(millis_of(duration)) / 1000;
}

json::object wait_of(Duration sum, const sim::WaitFigures& wait) {
  return {{"sum", seconds(sum)},      {"mean", seconds(wait.mean)}, {"p50", seconds(wait.p50)},
          {"p95", seconds(wait.p95)}, {"p99", seconds(wait.p99)},   {"max", seconds(wait.max)}};
}

json::array names_of(const Case& history, const std::vector<std::size_t>& models) {
  json::array names;
  for (const std::size_t model : models) {
    names.emplace_back(history.trace.models[model]);
  }
  return names;
}

json::object scenario_json(const Case& history, const Replayed& one) {
  const Scenario& scenario = one.scenario;
  json::object object{{"kind", kind_name(scenario.kind)},
                      {"factor", scenario.factor},
                      {"budget_bytes", budget_of(history, scenario).total().count}};
  object["models"] = names_of(history, scenario.models);
  object["policy"] =
      sim::name_of(scenario.kind == Kind::Policy ? scenario.policy : history.limits.policy);
  object["loads"] = one.figures.loads;
  object["load_s"] = seconds(one.figures.load_time);
  object["evictions"] = one.figures.evictions;
  object["not_served"] = one.figures.unserved;
  object["wait_s"] = wait_of(one.figures.waited, one.figures.wait);
  return object;
}

json::object history_json(const Case& history) {
  return {{"from_ms", history.from_ms},
          {"to_ms", history.to_ms},
          {"requests", history.recorded.requests},
          {"replayed", history.trace.rows.size()},
          {"older", history.older},
          {"models", history.trace.models.size()},
          {"users", history.trace.users}};
}

json::object recorded_json(const Case& history) {
  return {{"loads", history.recorded.loads},
          {"not_served", history.recorded.unserved},
          {"wait_s", wait_of(history.recorded.waited, history.recorded.wait)}};
}

json::array model_list(const Case& history) {
  json::array models;
  for (std::size_t i = 0; i < history.models.size(); ++i) {
    json::object model{{"name", history.trace.models[i]},
                       {"requests", history.facts[i].uses},
                       {"bytes", history.models[i].footprint.total().count},
                       {"load_s", seconds(history.models[i].load)},
                       {"bits_per_weight", history.facts[i].bits_per_weight},
                       {"pinned", history.models[i].pinned}};
    models.push_back(std::move(model));
  }
  return models;
}

// The scenario that was chosen, or null.
json::value chosen(const Case& history, const Advice& advice,
                   const std::optional<std::size_t>& index) {
  return index ? json::value(scenario_json(history, advice.replayed[*index])) : json::value();
}

json::array texts(const std::vector<std::string>& lines) {
  json::array array;
  for (const std::string& line : lines) {
    array.emplace_back(line);
  }
  return array;
}

// A budget that leaves more requests without an answer may have fewer loads and shorter waits: its
// points are hollow, so that nobody takes them for an improvement.
std::string panel(std::string_view title, int column, std::uint64_t unserved_now) {
  return fmt::format(
      "set title \"{0}\"\n"
      "plot $data using 1:{1} with lines lc rgb '#1d4ed8' lw 2.5 notitle,"
      " $data using 1:($4 > {2} ? NaN : ${1}) with points lc rgb '#1d4ed8' pt 7 ps 0.8 notitle,"
      " $data using 1:($4 > {2} ? ${1} : NaN) with points lc rgb '#b91c1c' pt 6 ps 1 lw 2 "
      "notitle\n",
      title, column, unserved_now);
}

// The unit in which the longest waiting of a chart is a number that people read.
struct WaitUnit {
  double seconds;
  std::string_view english, russian;
};
constexpr std::array<WaitUnit, 3> kWaitUnits{{{3600, "Hours of waiting", "Часы ожидания"},
                                              {60, "Minutes of waiting", "Минуты ожидания"},
                                              {1, "Seconds of waiting", "Секунды ожидания"}}};

const WaitUnit& wait_unit(const Advice& advice) {
  double longest = 0;
  for (const Replayed& one : advice.replayed) {
    longest = std::max(longest, seconds_of(one.figures.waited));
  }
  const auto fits = [longest](const WaitUnit& unit) { return longest >= 2 * unit.seconds; };
  const auto* found = std::find_if(kWaitUnits.begin(), kWaitUnits.end(), fits);
  return found == kWaitUnits.end() ? kWaitUnits.back() : *found;
}

struct Words {
  std::string_view loads = "Cold loads";
  std::string_view unserved = "Requests not served (hollow points: more than now)";
  std::string_view now = "now";
  std::string_view budget = "budget, GiB";
};

constexpr Words kRussian{"Холодные загрузки",
                         "Запросы без ответа (пустые точки: больше, чем сейчас)", "сейчас",
                         "бюджет, GiB"};

}  // namespace

std::string to_json(const Case& history, const Advice* advice, Language language) {
  json::object object{{"enough", advice != nullptr}};
  object["history"] = history_json(history);
  object["present"] = json::object{{"budget_bytes", history.limits.budget.total().count},
                                   {"policy", sim::name_of(history.limits.policy)}};
  object["recorded"] = recorded_json(history);
  object["models"] = model_list(history);
  json::array scenarios;
  if (advice == nullptr) {
    object["verdict"] = texts({too_little(history, language)});
  } else {
    for (const Replayed& one : advice->replayed) {
      scenarios.push_back(scenario_json(history, one));
    }
    object["verdict"] = texts(verdict(history, *advice, language));
    object["trust"] = trust_name(advice->trust);
    object["advised"] =
        json::object{{"more_memory", chosen(history, *advice, advice->more_memory)},
                     {"less_memory", chosen(history, *advice, advice->less_memory)},
                     {"pin", chosen(history, *advice, advice->pin)},
                     {"quantisation", chosen(history, *advice, advice->quantisation)},
                     {"policy", chosen(history, *advice, advice->policy)}};
    object["notes"] = texts(notes(history, language));
  }
  object["scenarios"] = std::move(scenarios);
  return json::serialize(object) + "\n";
}

std::string plot_script(const Case& history, const Advice& advice, Language language) {
  const Words words = language == Language::Russian ? kRussian : Words{};
  const WaitUnit& unit = wait_unit(advice);
  const std::string_view waiting = language == Language::Russian ? unit.russian : unit.english;
  std::string data;
  bool all_served = true;
  for (const Replayed& one : advice.replayed) {
    if (one.scenario.kind == Kind::Budget) {
      const Bytes budget = budget_of(history, one.scenario).total();
      data += fmt::format("{:.6f} {} {:.6f} {}\n", static_cast<double>(budget.count) / kBytesPerGiB,
                          one.figures.loads, seconds_of(one.figures.waited) / unit.seconds,
                          one.figures.unserved);
      all_served = all_served && one.figures.unserved == 0;
    }
  }
  const Bytes present = history.limits.budget.total();
  const std::uint64_t unserved = advice.now().unserved;
  const double present_gib = static_cast<double>(present.count) / kBytesPerGiB;
  // A background of its own: the same picture in a light and in a dark viewer.
  std::string script = fmt::format(
      "set terminal svg size 820,{} noenhanced font 'sans-serif,13' background rgb 'white'\n"
      "set encoding utf8\n"
      "set multiplot layout {},1\n"
      "set border 3 lc rgb '#374151'\n"
      "set tics nomirror textcolor rgb '#374151'\n"
      "set grid ytics lc rgb '#e5e7eb' lt 1\n"
      "set title textcolor rgb '#111827'\n"
      "set xlabel textcolor rgb '#374151'\n"
      "set lmargin 9\nset rmargin 3\n"  // the panels' axes stand below each other
      "set yrange [0:*]\n"
      "set offsets graph 0.03, graph 0.03, graph 0.12, 0\n"
      "$data << EOD\n{}EOD\n",
      all_served ? 600 : 880, all_served ? 2 : 3, data);
  script += fmt::format(
      "set arrow 1 from {0:.6f}, graph 0 to {0:.6f}, graph 1 nohead lc rgb '#b45309' lw 2 dt 2\n"
      "set label 1 \"{1}: {2}\" at {0:.6f}, graph 0.94 offset 0.8,0 "
      "textcolor rgb '#b45309' front\n",
      present_gib, words.now, format_bytes(present));
  script += panel(words.loads, 2, unserved);
  if (all_served) {
    script += fmt::format("set xlabel \"{}\"\n", words.budget) + panel(waiting, 3, unserved);
  } else {
    script += panel(waiting, 3, unserved);
    script += fmt::format("set xlabel \"{}\"\n", words.budget) + panel(words.unserved, 4, unserved);
  }
  return script + "unset multiplot\n";
}

}  // namespace hf::advise
