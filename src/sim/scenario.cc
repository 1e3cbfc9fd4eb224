#include "sim/scenario.h"

#include <sstream>

#include "sim/scenario_player.h"

namespace hf::sim {
namespace {

bool is_command(const std::string& line) {
  return !line.empty() && line[0] != '#';
}

}  // namespace

Result<std::string> run_scenario(std::string_view text) {
  std::istringstream lines{std::string(text)};
  ScenarioPlayer player;
  std::string written;
  std::string results;
  std::string line;
  bool skipping = false;  // the results that the file had
  for (int number = 1; std::getline(lines, line); ++number) {
    if (skipping) {
      if (!line.empty()) {
        continue;
      }
      skipping = false;
    }
    if (line == "----") {
      written += "----\n" + (results.empty() ? "nothing\n" : results);
      results.clear();
      skipping = true;
      continue;
    }
    written += line + "\n";
    if (is_command(line)) {
      auto result = player.perform(line);
      if (!result) {
        return fail(std::move(result.error()).with_context("line " + std::to_string(number)));
      }
      results += *result;
    }
  }
  if (!results.empty()) {
    return fail(Errc::InvalidArgument, "the last commands have no ---- below them");
  }
  return written;
}

}  // namespace hf::sim
