#pragma once
// A Config on its way to being one: the values read so far, where each was written, and the
// mistakes found. It exists so that reading (the only user of the TOML library), the checks across
// settings and the resolving of paths can be three files. Internal to src/config; one thread.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/load.h"

namespace hf::config {

// Where a value was written: a spot in the file, or a flag (line 0).
struct Place {
  std::string name;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct Draft {
  Config config;
  std::string file_name;
  std::vector<ConfigError> errors;
  std::map<std::string, Place, std::less<>> places;  // by dotted key: memory.high, users[1].name

  void add_error(const Place& place, std::string message) {
    errors.push_back({place.name, place.line, place.column, std::move(message)});
  }
  // At the place where `key` was written; at the top of the file if it was left to its default.
  void add_error_at(std::string_view key, std::string message) {
    const auto found = places.find(key);
    add_error(found == places.end() ? Place{file_name, 1, 1} : found->second, std::move(message));
  }
  bool was_written(std::string_view key) const { return places.find(key) != places.end(); }
};

// read_toml.cc: fills the config and the places from the text; syntax and type mistakes become
// errors.
void read_toml(std::string_view text, Draft& draft);

// overrides.cc: flags replace what the file said.
void apply_overrides(const Overrides& overrides, Draft& draft);

// paths.cc: fills in computed default paths, expands "~/", makes relative paths absolute.
void resolve_paths(const Environment& environment, Draft& draft);

// checks.cc: what no single setting can know (order of marks, unique names, keys before a public
// port).
void check_across(Draft& draft);

// check_web.cc: allowed_hosts and cors_origins.
void check_web(Draft& draft);
// command_checks.cc: of check_across, what a model of kind command must and must not have. `prefix`
// is its table as it was written. What does not count for a command is reset, so that it cannot
// differ.
void check_command(Draft& draft, const std::string& prefix, ModelConfig& model);

}  // namespace hf::config
