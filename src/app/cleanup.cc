// `holdfast cleanup`: what memory pressure does, now and by hand.
#include <boost/json/value.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/server_link.h"

namespace hf::app {
namespace {

std::string line(const char* heading, const std::string& names) {
  return std::string(heading) + (names.empty() ? "-" : names) + "\n";
}

int run_cleanup(bool emergency, bool as_json) {
  const std::string level = emergency ? "emergency" : "normal";
  const auto answer = ask(Question{"POST", "/api/v1/cleanup?level=" + level});
  if (!answer) {
    return answer.error();
  }
  if (!answer->good()) {
    return report(*answer);
  }
  if (as_json) {
    std::fputs(answer->body.c_str(), stdout);
    return kGood;
  }
  const std::string unloading = joined(answer->value, "unloading");
  const std::string kept = joined(answer->value, "kept");
  const std::string guarded = joined(answer->value, "protected");
  std::string text = line("unloaded:  ", unloading);
  text += line("kept:      ", kept);
  text += line("protected: ", guarded);
  if (unloading.empty() && !kept.empty() && kept == guarded) {
    text += "all models are in use or pinned; none can be unloaded\n";
  }
  std::fputs(text.c_str(), stdout);
  return kGood;
}

}  // namespace

void add_cleanup(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand(
      "cleanup", "Do what memory pressure does, now: unload idle models, never one in use");
  const auto emergency = std::make_shared<bool>(false);
  command->add_flag("--emergency", *emergency, "Unload every model that nobody uses");
  command->callback([&choice, emergency] {
    choice.run = [&choice, emergency] { return run_cleanup(*emergency, choice.json); };
  });
}

}  // namespace hf::app
