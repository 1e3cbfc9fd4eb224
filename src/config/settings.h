#pragma once
// The declaration of every setting: name, type, default, limits and the reason, once. parse, the
// checks, the suggestions for misspelt keys and docs/config.md all read these tables, so they
// cannot disagree. Internal to src/config but for the reference page. Constant data; any thread.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace hf::config {

// A value as the file holds it, free of the TOML library. monostate: a kind no setting has (a date,
// a table, a list of something else than strings or whole numbers); `what` names it then.
struct Value {
  using Data = std::variant<std::monostate, bool, std::int64_t, double, std::string,
                            std::vector<std::string>, std::vector<std::int64_t>>;
  Data data;
  std::string what;

  std::string shown() const;  // for a message, shortened
};

// Inclusive, in the unit of the type: bytes, seconds, percent, plain counts.
struct Limits {
  double least = 0;
  double most = 0;
};

struct SettingInfo {
  std::string_view key;
  std::string_view initial;  // the default as TOML, or words in parentheses when none is fixed;
                             // "(off…" and "(auto…" may be written as "off" and "auto"
  std::string_view why;
  Limits limits{};
  std::string_view type{};  // "size", "duration", …: filled in from the field's type
  bool may_be_off = false;  // "off" may be written although the default is fixed
  bool at_start = false;    // read at the start only: a reload reports a change and ignores it
  bool secret = false;      // may hold a secret: no message repeats its value
};

// What is wrong with a value, ending in what was expected; none if it was taken.
using Problem = std::optional<std::string>;

template <class Section>
struct Setting : SettingInfo {
  Problem (*assign)(const SettingInfo&, const Value&, Section&) = nullptr;
  bool (*same)(const Section&, const Section&) = nullptr;
  void (*copy)(const Section& from, Section& to) = nullptr;
};

std::span<const Setting<Config>> server_settings();
std::span<const Setting<MemoryConfig>> memory_settings();
std::span<const Setting<QueueConfig>> queue_settings();
std::span<const Setting<EngineConfig>> engine_settings();
std::span<const Setting<ModelConfig>> model_settings();
std::span<const Setting<UserConfig>> user_settings();
std::span<const Setting<TlsConfig>> tls_settings();
std::span<const Setting<LogConfig>> log_settings();
std::span<const Setting<StoreConfig>> store_settings();

// True for the keys of [models."NAME"] that say which model it is, or what a command is: they have
// no place in [defaults].
bool names_one_model(std::string_view key);
// True for the keys that only a model with a `command` may have.
bool is_for_commands(std::string_view key);

struct SectionInfo {
  std::string_view table;    // "" for the top of the file, "memory", "models", …
  std::string_view heading;  // as written in a file: "[memory]", "[models.\"NAME\"]", "[[users]]"
  std::string_view about;
  std::vector<SettingInfo> settings;
};
std::vector<SectionInfo> all_sections();

// Gives every setting with a fixed default that default. Requires: the tables are sound
// (HF_ASSERT).
template <class Section>
void assign_defaults(std::span<const Setting<Section>> settings, Section& section);

}  // namespace hf::config
