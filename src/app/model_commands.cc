// `holdfast load`, `unload`, `pin`, `unpin`: one model, one command.
#include <boost/json/value.hpp>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/server_link.h"
#include "app/terminal.h"
#include "base/units.h"

namespace hf::app {
namespace {

// Waits as long as the server does: until the model is ready, or the server says it cannot be.
tl::expected<Answer, int> wait_for_model(const std::string& model, const char* verb) {
  const Waiting waiting("waiting until " + model + " is loaded");
  Question question;
  question.method = "POST";
  question.target = model_target(model, verb);
  question.within.reset();
  return ask(question);
}

int run_load(const std::string& model, bool as_json) {
  return show(wait_for_model(model, "load"), as_json, [](const boost::json::value& value) {
    const double waited_ms = number_at(value, "waited_ms");
    return text_at(value, "model") + " is ready" +
           (waited_ms < 1 ? std::string()
                          : " after " + format_duration(duration_of_seconds(waited_ms / 1e3))) +
           "\n";
  });
}

int run_pin(const std::string& model, bool as_json) {
  return show(wait_for_model(model, "pin"), as_json, [](const boost::json::value& value) {
    return text_at(value, "model") + " is loaded and pinned: it stays until unload or unpin\n";
  });
}

int run_unpin(const std::string& model, bool as_json) {
  return show(ask(Question{"POST", model_target(model, "unpin")}), as_json,
              [](const boost::json::value& value) {
                return text_at(value, "model") + " is no longer pinned\n";
              });
}

int run_unload(const std::string& model, const char* query, bool as_json) {
  return show(ask(Question{"POST", model_target(model, "unload") + query}), as_json,
              [](const boost::json::value& value) {
                const std::string name = text_at(value, "model");
                const std::string result = text_at(value, "result");
                if (result == "not_loaded") {
                  return name + " is not loaded\n";
                }
                return result == "draining" ? name + " is unloaded as soon as its answers end\n"
                                            : name + " is being unloaded\n";
              });
}

// A subcommand with a MODEL and nothing else.
void add_simple(CLI::App& app, Choice& choice, const char* name, const char* about,
                int (*run)(const std::string&, bool)) {
  CLI::App* command = app.add_subcommand(name, about);
  const auto model = std::make_shared<std::string>();
  command->add_option("MODEL", *model, "Name or alias")->required();
  command->callback([&choice, model, run] {
    choice.run = [&choice, model, run] { return run(*model, choice.json); };
  });
}

}  // namespace

void add_load(CLI::App& app, Choice& choice) {
  add_simple(app, choice, "load", "Load a model and wait until it is ready", run_load);
}

void add_pin(CLI::App& app, Choice& choice) {
  add_simple(app, choice, "pin", "Load a model and keep it loaded", run_pin);
}

void add_unpin(CLI::App& app, Choice& choice) {
  add_simple(app, choice, "unpin", "Let a pinned model be unloaded again", run_unpin);
}

void add_unload(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand("unload", "Unload a model that nobody uses");
  const auto model = std::make_shared<std::string>();
  const auto drain = std::make_shared<bool>(false);
  const auto force = std::make_shared<bool>(false);
  command->add_option("MODEL", *model, "Name or alias")->required();
  CLI::Option* drain_flag =
      command->add_flag("--drain", *drain, "Let running answers finish first");
  command->add_flag("--force", *force, "Cut running answers")->excludes(drain_flag);
  command->callback([&choice, model, drain, force] {
    choice.run = [&choice, model, drain, force] {
      const char* query = *force ? "?force=true" : *drain ? "?drain=true" : "";
      return run_unload(*model, query, choice.json);
    };
  });
}

}  // namespace hf::app
