// `holdfast reload`: the server reads its configuration again.
#include <boost/json/value.hpp>
#include <string>

#include "app/commands.h"
#include "app/server_link.h"

namespace hf::app {
namespace {

// A heading of 17 columns and names; nothing without names.
std::string line(std::string heading, const std::string& names) {
  constexpr std::size_t kColumn = 17;
  heading.resize(kColumn, ' ');
  return names.empty() ? std::string() : heading + names + "\n";
}

std::string summary(const boost::json::value& value) {
  const boost::json::value& changed = member(value, "changed");
  const boost::json::value& models = member(changed, "models");
  std::string text = line("models added:", joined(models, "added"));
  text += line("models removed:", joined(models, "removed"));
  text += line("other options:", joined(models, "restarted"));
  text += line("models changed:", joined(models, "changed"));
  text += line("settings:", joined(changed, "settings"));
  text += line("needs a restart:", joined(value, "restart_needed"));
  return text.empty() ? "nothing changed\n" : text;
}

int run_reload(bool as_json) {
  // Model files may have to be read for it.
  return show(ask(Question{"POST", "/api/v1/reload", std::nullopt}), as_json, summary);
}

}  // namespace

void add_reload(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "reload", "Make the server read its configuration again and take over what changed");
  command->callback([&choice] { choice.run = [&choice] { return run_reload(choice.json); }; });
}

}  // namespace hf::app
