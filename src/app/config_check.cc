// `holdfast config check FILE`: every mistake of a configuration, without starting anything.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/terminal.h"
#include "config/load.h"

namespace hf::app {
namespace {

namespace json = boost::json;

int run_check(const std::string& file, bool as_json) {
  const Result<config::Config> config = config::load_config(file);
  if (as_json) {
    json::object result{{"file", file}, {"good", config.has_value()}};
    result["problems"] = config ? json::value("") : json::value(config.error().message);
    std::fputs((json::serialize(result) + "\n").c_str(), stdout);
    return config ? kGood : kWrongUsage;
  }
  if (!config) {
    std::fputs((config.error().message + "\n").c_str(), stderr);
    return kWrongUsage;
  }
  std::fputs((file + ": good\n").c_str(), stdout);
  return kGood;
}

}  // namespace

void add_config(CLI::App& app, Choice& choice) {
  CLI::App* config = app.add_subcommand("config", "Look at a configuration file");
  config->require_subcommand(1);
  CLI::App* check = config->add_subcommand("check", "Report every mistake in FILE");
  const auto file = std::make_shared<std::string>();
  check->add_option("FILE", *file, "The configuration, for example holdfast.toml")->required();
  check->callback(
      [&choice, file] { choice.run = [&choice, file] { return run_check(*file, choice.json); }; });
}

}  // namespace hf::app
