// `holdfast ps`: what is loaded, who uses it, who waits for what.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>

#include "app/commands.h"
#include "app/server_link.h"
#include "app/terminal.h"
#include "app/users_text.h"
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
  std::string shown = state_word(state);
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

// Host RAM; a server that does not tell it apart has no cards.
std::string memory_text(const json::value& model) {
  const json::value& host = member(member(model, "bytes_by_domain"), "host");
  return host.is_object() ? bytes_text(host, "reserved") : bytes_text(model, "bytes_reserved");
}

// What a model has reserved on cards: "2.10 GiB cuda0, 900 MiB cuda1"; "-" if nothing.
std::string cards_text(const json::value& model) {
  std::string text;
  const json::value& domains = member(model, "bytes_by_domain");
  if (domains.is_object()) {
    for (const auto& [name, bytes] : domains.get_object()) {
      if (name != "host") {
        text +=
            (text.empty() ? "" : ", ") + bytes_text(bytes, "reserved") + ' ' + std::string(name);
      }
    }
  }
  return text.empty() ? "-" : text;
}

// The columns of users and of cards are there only where there is something to tell.
void print_models(const json::array& models, const std::map<std::string, int>& waiting,
                  bool with_cards) {
  const bool with_users = std::any_of(models.begin(), models.end(), [](const json::value& model) {
    return !users_text(model).empty();
  });
  std::vector<Table::Column> columns{{"NAME"},          {"STATE"},        {"ACTIVE", true},
                                     {"WAITING", true}, {"MEMORY", true}, {"IDLE", true},
                                     {"USES", true}};
  if (with_users) {
    columns.push_back({"USERS"});
  }
  if (with_cards) {
    columns.push_back({"CARDS"});
  }
  Table table(std::move(columns));
  for (const json::value& model : models) {
    const std::string name = text_at(model, "name");
    const auto at = waiting.find(name);
    const int waits = at == waiting.end() ? 0 : at->second;
    const int running = static_cast<int>(number_at(model, "active_requests")) - waits;
    const bool loaded = number_at(model, "bytes_reserved") > 0;
    const bool idle = loaded && running <= 0 && text_at(model, "state") == "ready";
    std::vector<std::string> row{
        name,
        state_text(model),
        std::to_string(std::max(0, running)),
        std::to_string(waits),
        loaded ? memory_text(model) : "-",
        idle ? seconds_text(model, "idle_s") : "-",
        std::to_string(static_cast<std::int64_t>(number_at(model, "use_count")))};
    if (with_users) {
      const std::string users = users_text(model);
      row.push_back(users.empty() ? "-" : users);
    }
    if (with_cards) {
      row.push_back(cards_text(model));
    }
    table.add(std::move(row));
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
  line += ", " + waits_text(wait);
  if (member(wait, "eta_s").is_number()) {
    line += ", expected in " + seconds_text(wait, "eta_s");
  }
  line += member(wait, "bound_s").is_number()
              ? ", at the latest in " + seconds_text(wait, "bound_s")
              : ", latest time not known yet";
  return line + "\n";
}

// Those that a request would be refused for, in the words of that error. While the server shuts
// down it is none of the models' fault.
void print_refused(const json::array& models) {
  std::string text;
  for (const json::value& model : models) {
    const json::value& refused = member(model, "refused");
    if (refused.is_object() && text_at(refused, "code") != "shutting_down") {
      text += "  " + text_at(refused, "message") + "\n";
    }
  }
  if (!text.empty()) {
    text =
        "\n" + coloured(Colour::Bold, "refused") + " (holdfast explain MODEL says more)\n" + text;
    std::fputs(text.c_str(), stdout);
  }
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
                     bytes_text(memory, "budget_bytes") + " reserved";
  if (number_at(memory, "full_budget_bytes") > number_at(memory, "budget_bytes")) {
    text += " (" + bytes_text(memory, "full_budget_bytes") +
            " when other programs use no more than at the start)";
  }
  text += fmt::format("; {:.1f}% of the machine's memory is in use\n",
                      number_at(memory, "used_percent"));
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
    const char* const key = std::getenv("HOLDFAST_API_KEY");
    const bool has_key = key != nullptr && *key != '\0';
    print_error("the server is " + text_at(health->value, "status") +
                    (has_key ? "; it does not know the key in HOLDFAST_API_KEY"
                             : "; it shows more only to callers with a key"),
                has_key ? "an administrator makes one with holdfast user add, and reloads"
                        : "set HOLDFAST_API_KEY to your key");
    return kFailed;
  }
  if (as_json && !all) {
    std::fputs(health->body.c_str(), stdout);
    return kGood;
  }
  const auto models = ask(Question{"GET", "/api/v1/models"});
  if (!models) {
    return models.error();
  }
  if (!models->good()) {
    return report(*models);
  }
  if (as_json) {
    std::fputs(models->body.c_str(), stdout);
    return kGood;
  }
  const json::array& shown =
      all ? list_at(models->value, "models") : list_at(health->value, "cached_models");
  if (shown.empty()) {
    std::fputs(all ? "no models; put a .gguf file into the models folder\n"
                   : "no model is loaded; holdfast ps --all lists those that can be\n",
               stdout);
  } else {
    const bool with_cards = list_at(member(health->value, "memory"), "domains").size() > 1;
    print_models(shown, waiting_counts(health->value), with_cards);
  }
  print_refused(list_at(models->value, "models"));
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
