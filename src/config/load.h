#pragma once
// From a TOML file and command-line flags to one checked Config. Every mistake is found in one go,
// not only the first, and each says where it is, what is wrong and what was expected; an unknown
// key is a mistake too, because a misspelt limit that is silently ignored protects nobody. Pure but
// for reading the file and, for the default of models_dir, one look whether ./models exists. Any
// thread.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace hf::config {

struct ConfigError {
  std::string place;         // the file's name as given, or the flag: "--listen"
  std::uint32_t line = 0;    // from 1; 0 where there is none (a flag, an unreadable file)
  std::uint32_t column = 0;  // from 1, in characters
  std::string message;       // "memory.high: 120 is out of range, expected …"

  // "holdfast.toml:3:8: memory.high: …" or "--listen: …".
  std::string text() const;
};

// What the defaults and relative paths depend on besides the file; a test gives its own.
struct Environment {
  std::filesystem::path directory;  // absolute: the working directory
  std::string home;                 // $HOME, "" if unset
  std::string xdg_config_home;      // "" if unset, likewise below
  std::string xdg_data_home;
  std::string xdg_state_home;
  std::string holdfast_config;  // $HOLDFAST_CONFIG

  static Environment of_process();
};

// Settings given as flags of `holdfast serve`; each replaces the file's and is checked like it.
// Text as typed. Relative paths are relative to the working directory.
struct Overrides {
  std::optional<std::string> listen;        // --listen
  std::optional<std::string> models_dir;    // --models-dir
  std::optional<std::string> budget;        // --budget
  std::optional<std::string> llama_server;  // --llama-server
  std::optional<std::string> log_level;     // --log-level
  std::optional<std::string> log_language;  // --log-language
  std::optional<std::string> log_format;    // --log-format
  std::optional<std::string> store;         // --store
  std::optional<std::string> journal;       // --journal
};

// Relative paths in the text are relative to the directory of `file_name`; those of a model (path,
// mmproj) to models_dir. An empty text gives the defaults. Errors: all of them, in the order of the
// file.
tl::expected<Config, std::vector<ConfigError>> parse_config(
    std::string_view text, std::string file_name, const Overrides& overrides = {},
    const Environment& environment = Environment::of_process());

// Errors: NotFound, PermissionDenied, Io for the file; InvalidArgument with one line per mistake.
// They name the file `shown`, or by its whole path if that is empty.
Result<Config> load_config(const std::filesystem::path& path, const Overrides& overrides = {},
                           const Environment& environment = Environment::of_process(),
                           const std::string& shown = {});

// The defaults and the flags alone: what runs without any file.
Result<Config> default_config(const Overrides& overrides = {},
                              const Environment& environment = Environment::of_process());

// The file to use when no --config was given: $HOLDFAST_CONFIG (whether it exists or not), else the
// first that exists of ./holdfast.toml, $XDG_CONFIG_HOME/holdfast/holdfast.toml,
// /etc/holdfast/holdfast.toml.
std::optional<std::filesystem::path> find_config_file(
    const Environment& environment = Environment::of_process());

}  // namespace hf::config
