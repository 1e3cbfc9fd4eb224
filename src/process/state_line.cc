#include "process/state_line.h"

#include <simdjson.h>

#include <algorithm>
#include <string>

namespace hf::process {
namespace {

constexpr std::string_view kPrefix = "cmd_child_to_router:state:";

// Parts are loaded one after another and each counts from 0 to 1, so the whole is (parts done +
// this part's value) / parts; their sizes are not said.
double fraction_of(const simdjson::dom::element& payload) {
  std::string_view current;
  double value = 0;
  simdjson::dom::array stages;
  if (payload["value"].get(value) != simdjson::SUCCESS ||
      payload["current"].get(current) != simdjson::SUCCESS ||
      payload["stages"].get(stages) != simdjson::SUCCESS || stages.size() == 0) {
    return 0;
  }
  double done = 0;
  for (const simdjson::dom::element stage : stages) {
    std::string_view name;
    if (stage.get(name) == simdjson::SUCCESS && name == current) {
      break;
    }
    done += 1;
  }
  return std::clamp((done + value) / static_cast<double>(stages.size()), 0.0, 1.0);
}

}  // namespace

std::optional<StateLine> parse_state_line(std::string_view line) {
  if (!line.starts_with(kPrefix)) {
    return std::nullopt;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view state;
  const simdjson::padded_string json(line.substr(kPrefix.size()));
  if (parser.parse(json).get(root) != simdjson::SUCCESS ||
      root["state"].get(state) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  StateLine parsed;
  if (state == "ready") {
    parsed.state = StateLine::State::Ready;
  } else if (state == "loading") {
    parsed.state = StateLine::State::Loading;
    simdjson::dom::element payload;
    if (root["payload"].get(payload) == simdjson::SUCCESS) {
      parsed.fraction = fraction_of(payload);
    }
  }
  return parsed;
}

}  // namespace hf::process
