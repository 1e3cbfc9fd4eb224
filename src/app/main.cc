// `holdfast`: picks the subcommand. The hidden `jail` comes before everything else, because it must
// do no more than prepare and become an engine's process.
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "app/commands.h"
#include "app/terminal.h"
#include "config/near_match.h"
#include "process/child.h"

namespace hf::app {
namespace {

std::vector<std::string> command_names(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) {
    names.push_back(command->get_name());
  }
  return names;
}

bool is_unknown_command(CLI::App& app, std::string_view word) {
  const std::vector<std::string> names = command_names(app);
  return !word.starts_with('-') && std::find(names.begin(), names.end(), word) == names.end();
}

// The parser would only say that a subcommand is required.
int report_unknown_command(CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = command_names(app);
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto near = config::near_match(word, known);
  print_error(
      "there is no command \"" + word + "\"",
      near ? "did you mean: holdfast " + std::string(*near) : "holdfast --help lists the commands");
  return kWrongUsage;
}

int run(int argc, char** argv) {
  CLI::App app{
      "Many language models on one machine: loads them when they are asked for and never\n"
      "takes one away from somebody who is using it."};
  app.name("holdfast");
  app.require_subcommand(1);
  app.fallthrough();
  Choice choice;
  app.add_flag("--json", choice.json, "Print JSON, for programs");
  app.footer(
      "--json with any command prints JSON, for programs.\n"
      "Commands about a running server (from ps to explain) find it at HOLDFAST_HOST\n"
      "(HOST:PORT or a URL; default 127.0.0.1:11435), with the key in HOLDFAST_API_KEY;\n"
      "HOLDFAST_CA names the file of an authority of your own for https:// servers.\n"
      "Exit status: 0 good, 1 failed, 2 wrong usage or configuration.");
  app.set_version_flag("--version", "holdfast " HOLDFAST_VERSION);
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return "holdfast: " + std::string(error.what()) + "\n  holdfast --help says more\n";
  });
  add_serve(app, choice);
  add_ps(app, choice);
  add_load(app, choice);
  add_unload(app, choice);
  add_cleanup(app, choice);
  add_pin(app, choice);
  add_unpin(app, choice);
  add_reload(app, choice);
  add_explain(app, choice);
  add_pull(app, choice);
  add_config(app, choice);
  add_user(app, choice);
  add_advise(app, choice);
  add_simulate(app, choice);
  add_doctor(app, choice);
  add_version(app, choice);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (argc > 1 && is_unknown_command(app, argv[1])) {
      return report_unknown_command(app, argv[1]);
    }
    return app.exit(error) == kGood ? kGood : kWrongUsage;
  }
  return choice.run();
}

}  // namespace
}  // namespace hf::app

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "jail") == 0) {
    return hf::process::jail_main(argc - 1, argv + 1);
  }
  // A client that goes away is an error of its socket, not the end of the server.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return hf::app::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "holdfast: %s\n", error.what());
    return hf::app::kFailed;
  }
}
