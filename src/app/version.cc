// `holdfast version`.
#include <cstdio>
#include <string>

#include "app/commands.h"

namespace hf::app {

void add_version(CLI::App& app, Choice& choice) {
  CLI::App* command = app.add_subcommand("version", "Which Holdfast this is");
  command->callback([&choice] {
    choice.run = [&choice] {
      std::fputs(choice.json ? "{\"version\":\"" HOLDFAST_VERSION "\"}\n"
                             : "holdfast " HOLDFAST_VERSION "\n",
                 stdout);
      return kGood;
    };
  });
}

}  // namespace hf::app
