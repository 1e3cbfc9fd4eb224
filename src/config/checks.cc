#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "config/draft.h"
#include "config/engine_flags.h"

namespace hf::config {
namespace {

// A model's name travels in URLs, log lines and file names of slots; longer ones are mistakes.
constexpr std::size_t kLongestName = 200;
// A user's name stands in columns of `holdfast ps`.
constexpr std::size_t kLongestUserName = 100;

// A mark as it was written, and not rounded: two that differ must not look alike.
std::string as_written(double percent) {
  std::string text = std::to_string(percent);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') {
    text.pop_back();
  }
  return text;
}

// What is wrong with a model's name or alias; none if it is good.
std::optional<std::string> name_problem(std::string_view name) {
  if (name.empty() || name.size() > kLongestName) {
    return "is empty or longer than " + std::to_string(kLongestName) + " bytes";
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f || c == '"' || c == '\\') {
      return "holds a blank, a quote, a backslash or a control character";
    }
  }
  if (name.front() == '/' || name.back() == '/' || name.find("//") != std::string_view::npos ||
      name == ".." || name.starts_with("../") || name.ends_with("/..") ||
      name.find("/../") != std::string_view::npos) {
    return "has an empty or \"..\" part between slashes";
  }
  return std::nullopt;
}

void check_marks(Draft& draft) {
  for (const ConfigError& error : draft.errors) {
    if (error.message.starts_with("memory.")) {
      return;  // a mark that could not be read is its default here: comparing it would mislead
    }
  }
  const MemoryConfig& memory = draft.config.memory;
  const std::string shown = "low " + as_written(memory.low) + ", high " + as_written(memory.high) +
                            ", critical " + as_written(memory.critical);
  const std::string ending = " (" + shown + "), expected low < high < critical";
  if (memory.low >= memory.high) {
    const char* key = draft.was_written("memory.low") ? "memory.low" : "memory.high";
    draft.add_error_at(key, std::string(key) + ": the low mark is not below the high one" + ending);
  }
  if (memory.high >= memory.critical) {
    const char* key = draft.was_written("memory.critical") ? "memory.critical" : "memory.high";
    draft.add_error_at(key,
                       std::string(key) + ": the high mark is not below the critical one" + ending);
  }
}

void check_listen(Draft& draft) {
  if (!draft.config.users.empty()) {
    return;
  }
  for (const SocketAddress& address : draft.config.listen) {
    if (!is_loopback(address)) {
      draft.add_error_at("listen",
                         "listen: " + to_text(address) +
                             " is reachable from other machines, and without keys everybody there "
                             "could use and unload models, expected a loopback address such as "
                             "\"127.0.0.1:11435\" or at least one [[users]] table, which holdfast "
                             "user add NAME --role admin writes");
    }
  }
}

void check_args(Draft& draft, const std::string& prefix, const std::vector<std::string>& args) {
  const std::string key = prefix + ".args";
  if (!draft.was_written(key)) {
    return;  // inherited from [defaults], where it is reported once
  }
  for (const std::string& arg : args) {
    if (const auto why = why_refused(arg)) {
      draft.add_error_at(key, key + ": " + *why);
    }
  }
}

// The engine would end at once with it, each time.
void check_cache_types(Draft& draft, const std::string& prefix, const ModelConfig& model) {
  std::string key = prefix + ".args";
  if (!draft.was_written(key)) {
    key = prefix + ".cache_type_v";
  }
  if (!draft.was_written(key)) {
    return;  // both are inherited from [defaults], where it is reported once
  }
  for (std::size_t i = 0; i + 1 < model.args.size(); ++i) {
    const bool flag = model.args[i] == "-fa" || model.args[i] == "--flash-attn";
    if (flag && model.args[i + 1] == "off" && is_quantised(model.cache_type_v)) {
      draft.add_error_at(key, key + ": args switch flash attention off, but cache_type_v = \"" +
                                  std::string(to_text(model.cache_type_v)) +
                                  "\" needs it, expected 16 bits or more, or no such flag");
    }
  }
}

// Before the tables are sorted by name: preloads come in the order of the file.
void check_preload(Draft& draft) {
  std::vector<std::pair<Place, std::string>> wanted;
  for (const ModelConfig& model : draft.config.models) {
    if (!model.preload) {
      continue;
    }
    const std::string prefix = "models.\"" + model.name + '"';
    wanted.emplace_back(draft.places.at(prefix), canonical_model_name(model.name));
    if (model.pin) {
      draft.add_error_at(prefix + ".preload",
                         prefix +
                             ".preload: the model is pinned, which loads it at start and keeps "
                             "it, expected pin or preload, not both");
    }
  }
  std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) {
    return std::tie(a.first.line, a.first.column) < std::tie(b.first.line, b.first.column);
  });
  for (auto& [place, name] : wanted) {
    draft.config.preload.push_back(std::move(name));
  }
}

void check_model_names(Draft& draft) {
  std::map<std::string, std::string, std::less<>> owner;  // name or alias -> the table that has it
  for (ModelConfig& model : draft.config.models) {
    const std::string prefix = "models.\"" + model.name + '"';
    if (const auto problem = name_problem(model.name)) {
      draft.add_error_at(prefix,
                         prefix + ": the name " + *problem + ", expected for example \"qwen3/8b\"");
    }
    check_args(draft, prefix, model.args);
    check_cache_types(draft, prefix, model);
    check_command(draft, prefix, model);
    model.name = std::string(canonical_model_name(model.name));
    if (!owner.emplace(model.name, prefix).second) {
      draft.add_error_at(prefix, prefix + ": \"" + model.name + "\" has two tables, expected one");
    }
  }
  for (ModelConfig& model : draft.config.models) {
    for (std::string& alias : model.aliases) {
      std::string prefix = "models.\"" + model.name + '"';
      if (!draft.was_written(prefix)) {
        prefix = "models.\"" + model.name + ":latest\"";
      }
      const std::string key = prefix + ".aliases";
      if (const auto problem = name_problem(alias)) {
        draft.add_error_at(key, key + ": an alias " + *problem + ", expected for example \"big\"");
      }
      alias = std::string(canonical_model_name(alias));
      const auto [other, added] = owner.emplace(alias, prefix);
      if (!added) {
        draft.add_error_at(key, key + ": \"" + alias + "\" already belongs to " + other->second +
                                    ", expected a name of its own");
      }
    }
  }
  std::sort(draft.config.models.begin(), draft.config.models.end(),
            [](const ModelConfig& a, const ModelConfig& b) { return a.name < b.name; });
}

bool is_sha256(std::string& text) {
  if (text.size() != 64) {
    return false;
  }
  for (char& c : text) {
    if (c >= 'A' && c <= 'F') {
      c = static_cast<char>(c - 'A' + 'a');
    }
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
      return false;
    }
  }
  return true;
}

void check_users(Draft& draft) {
  std::set<std::string> names;
  std::set<std::string> keys;
  std::size_t number = 0;
  for (UserConfig& user : draft.config.users) {
    const std::string prefix = "users[" + std::to_string(++number) + ']';
    for (const char* key : {"name", "key_sha256"}) {
      if (!draft.was_written(prefix + '.' + key)) {
        draft.add_error_at(prefix, prefix + ": no " + key + ", expected name and key_sha256");
      }
    }
    if (!user.name.empty() && !is_user_name(user.name)) {
      draft.add_error_at(prefix + ".name", prefix + ".name: longer than " +
                                               std::to_string(kLongestUserName) +
                                               " bytes, expected for example \"ann\"");
    } else if (!user.name.empty() && !names.insert(user.name).second) {
      draft.add_error_at(prefix + ".name", prefix + ".name: \"" + user.name +
                                               "\" is there twice, expected a name of its own");
    }
    if (user.key_sha256.empty()) {
      continue;
    }
    if (!is_sha256(user.key_sha256)) {
      draft.add_error_at(prefix + ".key_sha256",
                         prefix +
                             ".key_sha256: not a SHA-256, expected 64 hexadecimal digits "
                             "(printf %s KEY | sha256sum)");
    } else if (!keys.insert(user.key_sha256).second) {
      draft.add_error_at(prefix + ".key_sha256",
                         prefix + ".key_sha256: another user has the same key, expected one each");
    }
  }
}

void check_tls(Draft& draft) {
  const TlsConfig& tls = draft.config.tls;
  if (tls.certificate && !tls.key) {
    draft.add_error_at("tls.certificate", "tls.certificate: its key is missing, expected tls.key");
  }
  if (tls.key && !tls.certificate) {
    draft.add_error_at("tls.key", "tls.key: its certificate is missing, expected tls.certificate");
  }
}

void check_files(Draft& draft) {
  const StoreConfig& store = draft.config.store;
  if (store.journal && *store.journal == store.path) {
    draft.add_error_at("store.journal",
                       "store.journal: the history is in the same file, expected another path");
  }
}

}  // namespace

bool is_user_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestUserName &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string_view canonical_model_name(std::string_view name) {
  constexpr std::string_view kLatest = ":latest";
  if (name.size() > kLatest.size() && name.ends_with(kLatest)) {
    name.remove_suffix(kLatest.size());
  }
  return name;
}

const ModelConfig* find_model(const Config& config, std::string_view name) {
  const std::string_view wanted = canonical_model_name(name);
  for (const ModelConfig& model : config.models) {
    if (model.name == wanted ||
        std::find(model.aliases.begin(), model.aliases.end(), wanted) != model.aliases.end()) {
      return &model;
    }
  }
  return nullptr;
}

void check_across(Draft& draft) {
  check_marks(draft);
  check_listen(draft);
  check_web(draft);
  check_args(draft, "defaults", draft.config.defaults.args);
  check_cache_types(draft, "defaults", draft.config.defaults);
  check_preload(draft);
  check_model_names(draft);
  check_users(draft);
  check_tls(draft);
  check_files(draft);
  if (auto& name = draft.config.default_model) {
    if (const auto problem = name_problem(*name)) {
      draft.add_error_at("default_model", "default_model: the name " + *problem +
                                              ", expected the name or alias of a model");
    }
    name = std::string(canonical_model_name(*name));
  }
}

}  // namespace hf::config
