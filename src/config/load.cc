#include "config/load.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <tuple>

#include "config/draft.h"
#include "config/read_file.h"

namespace hf::config {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Result<Config> joined(tl::expected<Config, std::vector<ConfigError>> parsed) {
  if (parsed) {
    return std::move(*parsed);
  }
  std::string text;
  for (const ConfigError& error : parsed.error()) {
    text += (text.empty() ? "" : "\n") + error.text();
  }
  return fail(Errc::InvalidArgument, std::move(text));
}

}  // namespace

std::string ConfigError::text() const {
  if (line == 0) {
    return place + ": " + message;
  }
  return place + ':' + std::to_string(line) + ':' + std::to_string(column) + ": " + message;
}

Environment Environment::of_process() {
  Environment environment;
  std::error_code error;
  environment.directory = fs::current_path(error);
  if (error) {
    environment.directory = "/";  // the working directory was removed; only "/" is certain
  }
  environment.home = variable("HOME");
  environment.xdg_config_home = variable("XDG_CONFIG_HOME");
  environment.xdg_data_home = variable("XDG_DATA_HOME");
  environment.xdg_state_home = variable("XDG_STATE_HOME");
  environment.holdfast_config = variable("HOLDFAST_CONFIG");
  return environment;
}

tl::expected<Config, std::vector<ConfigError>> parse_config(std::string_view text,
                                                            std::string file_name,
                                                            const Overrides& overrides,
                                                            const Environment& environment) {
  Draft draft;
  draft.file_name = std::move(file_name);
  read_toml(text, draft);
  apply_overrides(overrides, draft);
  resolve_paths(environment, draft);
  check_across(draft);
  if (draft.errors.empty()) {
    return std::move(draft.config);
  }
  // In the order of the file, the flags (line 0) last.
  std::stable_sort(draft.errors.begin(), draft.errors.end(),
                   [](const ConfigError& a, const ConfigError& b) {
                     return std::tuple(a.line == 0, a.line, a.column) <
                            std::tuple(b.line == 0, b.line, b.column);
                   });
  return tl::unexpected(std::move(draft.errors));
}

Result<Config> load_config(const fs::path& path, const Overrides& overrides,
                           const Environment& environment, const std::string& shown) {
  const std::string name = shown.empty() ? path.string() : shown;
  auto text = read_file(path, name);
  if (!text) {
    return fail(std::move(text.error()));
  }
  auto parsed = parse_config(*text, path.string(), overrides, environment);
  if (!parsed) {
    for (ConfigError& error : parsed.error()) {
      if (error.line > 0) {
        error.place = name;
      }
    }
  }
  return joined(std::move(parsed));
}

Result<Config> default_config(const Overrides& overrides, const Environment& environment) {
  return joined(parse_config("", "", overrides, environment));
}

std::optional<fs::path> find_config_file(const Environment& environment) {
  if (!environment.holdfast_config.empty()) {
    return fs::path(environment.holdfast_config);
  }
  std::vector<fs::path> candidates{environment.directory / "holdfast.toml"};
  if (environment.xdg_config_home.starts_with('/')) {
    candidates.emplace_back(fs::path(environment.xdg_config_home) / "holdfast/holdfast.toml");
  } else if (!environment.home.empty()) {
    candidates.emplace_back(fs::path(environment.home) / ".config/holdfast/holdfast.toml");
  }
  candidates.emplace_back("/etc/holdfast/holdfast.toml");
  for (const fs::path& candidate : candidates) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) {
      return candidate;
    }
  }
  return std::nullopt;
}

}  // namespace hf::config
