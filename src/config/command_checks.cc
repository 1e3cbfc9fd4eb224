// Checks of models of kind command. No message repeats a word of `command` or `env`: people write
// keys and passwords there.
#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "config/draft.h"
#include "config/placeholders.h"
#include "config/settings.h"

namespace hf::config {
namespace {

constexpr std::size_t kLongestReadyPath = 1000;

// Of those that a model may have, the keys that say how the stock engine runs it.
bool is_for_stock_engine(std::string_view key) {
  constexpr std::array kKeys = std::to_array<std::string_view>(
      {"mmproj", "context", "gpu_layers", "cache_ram", "cache_type_k", "cache_type_v", "swa_full",
       "embeddings", "load_mode", "args"});
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

class CommandCheck {
 public:
  CommandCheck(Draft& draft, const std::string& prefix, const ModelConfig& model)
      : draft_(draft), prefix_(prefix), model_(model) {}

  void keys_of_the_other_kind() {
    for (const Setting<ModelConfig>& entry : model_settings()) {
      const std::string key = prefix_ + '.' + std::string(entry.key);
      if (!draft_.was_written(key)) {
        continue;
      }
      if (model_.is_command() && is_for_stock_engine(entry.key)) {
        add(entry.key,
            "it is for models that llama-server runs, and this one is a command, "
            "expected the same among the words of `command`");
      } else if (!draft_.was_written(prefix_ + ".command") && is_for_commands(entry.key)) {
        add(entry.key,
            "it is for models with a `command`, expected `command` beside it or no "
            "such key");
      }
    }
  }

  void command() {
    if (model_.command.front().empty()) {
      add("command",
          "the program's name is empty, expected for example [\"whisper-server\", "
          "\"--port\", \"{port}\"]");
    }
    const std::vector<std::string> program(model_.command.begin(), model_.command.begin() + 1);
    if (std::any_of(kPlaceholders.begin(), kPlaceholders.end(),
                    [&](std::string_view one) { return any_holds(program, one); })) {
      add("command", "a placeholder stands in the program's name, expected it among its arguments");
    }
    const bool by_port = any_holds(model_.command, "{port}") || any_holds(model_.env, "{port}");
    const bool by_socket =
        any_holds(model_.command, "{socket}") || any_holds(model_.env, "{socket}");
    if (by_port == by_socket) {
      add("command", std::string(by_port ? "both {port} and {socket} occur"
                                         : "neither {port} nor {socket} occurs") +
                         ", expected one of them, where the server is told what to listen on");
    }
    if (!model_.path &&
        (any_holds(model_.command, "{model}") || any_holds(model_.env, "{model}"))) {
      add("command", "{model} stands for the model's `path`, and there is none, expected `path`");
    }
  }

  void declared_bytes() {
    if (!model_.bytes && draft_.was_written(prefix_ + ".bytes")) {
      return;  // it could not be read
    }
    if (!model_.bytes) {
      add("command",
          "nobody can predict what a command holds, expected `bytes`, the RAM to be "
          "reserved for it (\"6GiB\"), and `gpu_bytes` if it uses cards");
      return;
    }
    Bytes all = *model_.bytes;
    for (const Bytes bytes : model_.gpu_bytes) {
      all += bytes;
    }
    if (all.count == 0) {
      add("bytes", "nothing is reserved for it, expected more than 0 here or in gpu_bytes");
    }
    const std::size_t cards = model_.gpu_bytes.size();
    if (model_.gpus && cards > 1 && model_.gpus->size() != cards) {
      add("gpu_bytes", "it has " + std::to_string(cards) + " sizes, and gpus names " +
                           std::to_string(model_.gpus->size()) +
                           " cards, expected a size for each, or one for all");
    }
    if (draft_.was_written(prefix_ + ".gpus") && cards == 0 && !model_.gpus->empty()) {
      add("gpus", "nothing is reserved on these cards, expected gpu_bytes as well");
    }
  }

  void ready_path() {
    const std::string& path = model_.ready;
    const bool bad = path.empty() || path.front() != '/' || path.size() > kLongestReadyPath ||
                     std::any_of(path.begin(), path.end(), [](unsigned char c) {
                       return c <= 0x20 || c >= 0x7f || c == '#';
                     });
    if (bad) {
      add("ready", "it is no path of a URL, expected for example \"/health\"");
    }
  }

  void environment() {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < model_.env.size(); ++i) {
      const std::string_view item = model_.env[i];
      const std::string_view name = item.substr(0, item.find('='));
      if (name.size() == item.size() || !is_variable_name(name)) {
        add("env", "item " + std::to_string(i + 1) +
                       " is no assignment, expected \"NAME=VALUE\" with a name of letters, digits "
                       "and _");
      } else if (!names.insert(name).second) {
        add("env", std::string(name) + " is set twice, expected one value");
      }
    }
  }

 private:
  static bool is_variable_name(std::string_view name) {
    const auto is_letter = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    return !name.empty() && is_letter(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
  }
  void add(std::string_view key, const std::string& message) {
    const std::string dotted = prefix_ + '.' + std::string(key);
    const bool written = draft_.was_written(dotted);
    draft_.add_error_at(written ? dotted : prefix_, dotted + ": " + message);
  }

  Draft& draft_;
  const std::string& prefix_;
  const ModelConfig& model_;
};

// As in a configuration that says nothing of them, not even in [defaults].
void reset_stock_settings(ModelConfig& model) {
  ModelConfig plain;
  assign_defaults(model_settings(), plain);
  for (const Setting<ModelConfig>& entry : model_settings()) {
    if (is_for_stock_engine(entry.key)) {
      entry.copy(plain, model);
    }
  }
}

}  // namespace

void check_command(Draft& draft, const std::string& prefix, ModelConfig& model) {
  CommandCheck check(draft, prefix, model);
  check.keys_of_the_other_kind();
  const bool written = draft.was_written(prefix + ".command");
  if (!model.is_command()) {
    const bool read = std::none_of(
        draft.errors.begin(), draft.errors.end(),
        [&](const ConfigError& error) { return error.message.starts_with(prefix + ".command:"); });
    if (written && read) {
      draft.add_error_at(prefix + ".command",
                         prefix + ".command: it is empty, expected a program and its arguments");
    }
    return;
  }
  check.command();
  check.declared_bytes();
  check.ready_path();
  check.environment();
  reset_stock_settings(model);
}

}  // namespace hf::config
