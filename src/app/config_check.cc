// `holdfast config check FILE`: every mistake of a configuration, without starting anything.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/terminal.h"
#include "app/tls_files.h"
#include "config/load.h"

namespace hf::app {
namespace {

namespace json = boost::json;

int report_json(const std::string& file, const std::string& problems,
                const std::vector<std::string>& warnings) {
  json::array list;
  for (const std::string& warning : warnings) {
    list.emplace_back(warning);
  }
  const bool good = problems.empty();
  const json::object result{
      {"file", file}, {"good", good}, {"problems", problems}, {"warnings", list}};
  std::fputs((json::serialize(result) + "\n").c_str(), stdout);
  return good ? kGood : kWrongUsage;
}

int run_check(const std::string& file, bool as_json) {
  const Result<config::Config> config = config::load_config(file);
  std::string problems = config ? "" : config.error().message;
  std::vector<std::string> warnings;
  if (config) {
    // The files it names for TLS, because a server would not start without them.
    const auto tls = load_tls(config->tls);
    problems = tls ? "" : file + ": " + tls.error().message;
    warnings = tls ? tls_warnings(tls->get()) : warnings;
  }
  if (as_json) {
    return report_json(file, problems, warnings);
  }
  for (const std::string& warning : warnings) {
    std::fputs((file + ": warning: " + warning + "\n").c_str(), stderr);
  }
  std::fputs((problems.empty() ? file + ": good\n" : problems + "\n").c_str(),
             problems.empty() ? stdout : stderr);
  return problems.empty() ? kGood : kWrongUsage;
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
