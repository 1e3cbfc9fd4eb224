// `holdfast ps`: what is loaded, who uses it, who waits for what.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>

#include "app/commands.h"
#include "app/server_link.h"
#include "app/terminal.h"
#include "base/units.h"

namespace hf::app {
namespace {

namespace json = boost::json;

std::string bytes_text(const json::value& value, std::string_view key) {
  return format_bytes(Bytes(static_cast<std::int64_t>(number_at(value, key))));
}

std::string seconds_text(const json::value& value, std::string_view key) {
  return format_duration(duration_of_seconds(number_at(value, key)));
}

Colour colour_of(const std::string& state) {
  if (state == "ready") {
    return Colour::Green;
  }
  if (state == "failed") {
    return Colour::Red;
  }
  return state == "absent" ? Colour::Dim : Colour::Yellow;
}

std::string state_text(const json::value& model) {
  std::string state = text_at(model, "state");
  std::string shown = state;
  if (state == "loading") {
    shown += " " + std::to_string(static_cast<int>(number_at(model, "load_progress") * 100)) + "%";
  }
  const json::value& pinned = member(model, "pinned");
  if (pinned.is_bool() && pinned.get_bool()) {
    shown += ", pinned";
  }
  return coloured(colour_of(state), shown);
}

std::map<std::string, int> waiting_counts(const json::value& health) {
  std::map<std::string, int> counts;
  for (const json::value& wait : list_at(health, "waiting")) {
    counts[text_at(wait, "model")] += static_cast<int>(number_at(wait, "requests"));
  }
  return counts;
}

void print_models(const json::array& models, const std::map<std::string, int>& waiting) {
  Table table({{"NAME"},
               {"STATE"},
               {"ACTIVE", true},
               {"WAITING", true},
               {"MEMORY", true},
               {"IDLE", true},
               {"USES", true}});
  for (const json::value& model : models) {
    const std::string name = text_at(model, "name");
    const auto at = waiting.find(name);
    const int waits = at == waiting.end() ? 0 : at->second;
    const int running = static_cast<int>(number_at(model, "active_requests")) - waits;
    const bool loaded = number_at(model, "bytes_reserved") > 0;
    const bool idle = loaded && running <= 0 && text_at(model, "state") == "ready";
    table.add({name, state_text(model), std::to_string(std::max(0, running)), std::to_string(waits),
               loaded ? bytes_text(model, "bytes_reserved") : "-",
               idle ? seconds_text(model, "idle_s") : "-",
               std::to_string(static_cast<std::int64_t>(number_at(model, "use_count")))});
  }
  std::fputs(table.text().c_str(), stdout);
}

std::string wait_line(const json::value& wait) {
  const int requests = static_cast<int>(number_at(wait, "requests"));
  std::string line = "  " + text_at(wait, "model") + ": " + std::to_string(requests) +
                     (requests == 1 ? " request" : " requests") + ", the oldest for " +
                     seconds_text(wait, "oldest_s");
  if (number_at(wait, "position") > 0) {
    line += ", place " + std::to_string(static_cast<int>(number_at(wait, "position")));
  }
  line += ", waits for " + text_at(wait, "waiting_for");
  if (const std::string blockers = joined(wait, "blockers"); !blockers.empty()) {
    line += " (" + blockers + ")";
  }
  if (member(wait, "eta_s").is_number()) {
    line += ", expected in " + seconds_text(wait, "eta_s");
  }
  line += member(wait, "bound_s").is_number()
              ? ", at the latest in " + seconds_text(wait, "bound_s")
              : ", latest time not known yet";
  return line + "\n";
}

void print_rest(const json::value& health) {
  if (!list_at(health, "waiting").empty()) {
    std::string text = "\n" + coloured(Colour::Bold, "waiting") + "\n";
    for (const json::value& wait : list_at(health, "waiting")) {
      text += wait_line(wait);
    }
    std::fputs(text.c_str(), stdout);
  }
  const json::value& memory = member(health, "memory");
  std::string text = "\nmemory: " + bytes_text(memory, "reserved_bytes") + " of " +
                     bytes_text(memory, "budget_bytes") + " reserved; the machine uses ";
  text += fmt::format("{:.1f}%\n", number_at(memory, "used_percent"));
  for (const json::value& warning : list_at(health, "warnings")) {
    if (warning.is_string()) {
      text += coloured(Colour::Yellow, warning.get_string().c_str()) + "\n";
    }
  }
  std::fputs(text.c_str(), stdout);
}

int run_ps(bool all, bool as_json) {
  const auto health = ask(Question{"GET", "/health"});
  if (!health) {
    return health.error();
  }
  // 503 is an answer too: the server is full, and it says so in the same words.
  if (!member(health->value, "status").is_string()) {
    return report(*health);
  }
  if (!member(health->value, "cached_models").is_array()) {
    print_error("the server is " + text_at(health->value, "status") +
                    "; it shows more only to callers with a key",
                "set HOLDFAST_API_KEY to your key");
    return kFailed;
  }
  std::optional<Answer> models;
  if (all) {
    auto answer = ask(Question{"GET", "/api/v1/models"});
    if (!answer) {
      return answer.error();
    }
    if (!answer->good()) {
      return report(*answer);
    }
    models = std::move(*answer);
  }
  if (as_json) {
    std::fputs(models ? models->body.c_str() : health->body.c_str(), stdout);
    return kGood;
  }
  const json::array& shown =
      models ? list_at(models->value, "models") : list_at(health->value, "cached_models");
  if (shown.empty()) {
    std::fputs(all ? "no models; put a .gguf file into the models folder\n"
                   : "no model is loaded; holdfast ps --all lists those that can be\n",
               stdout);
  } else {
    print_models(shown, waiting_counts(health->value));
  }
  print_rest(health->value);
  return kGood;
}

}  // namespace

void add_ps(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand("ps", "What is loaded, who uses it and who waits");
  const auto all = std::make_shared<bool>(false);
  command->add_flag("--all,-a", *all, "Also models that are not loaded");
  command->callback(
      [&choice, all] { choice.run = [&choice, all] { return run_ps(*all, choice.json); }; });
}

}  // namespace hf::app
