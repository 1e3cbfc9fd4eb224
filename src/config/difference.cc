#include "config/difference.h"

#include <algorithm>
#include <map>
#include <span>

#include "config/settings.h"

namespace hf::config {
namespace {

template <class Section>
void compare(const std::string& prefix, std::span<const Setting<Section>> settings,
             const Section& running, const Section& wanted, Difference& result) {
  for (const Setting<Section>& entry : settings) {
    if (!entry.same(running, wanted)) {
      (entry.at_start ? result.restart_needed : result.settings)
          .push_back(prefix + std::string(entry.key));
    }
  }
}

void compare_defaults(const Config& running, const Config& wanted, Difference& result) {
  for (const Setting<ModelConfig>& entry : model_settings()) {
    if (!names_one_model(entry.key) && !entry.same(running.defaults, wanted.defaults)) {
      result.settings.push_back("defaults." + std::string(entry.key));
    }
  }
}

void compare_models(const Config& running, const Config& wanted, Difference& result) {
  struct Pair {
    const ModelConfig* before = nullptr;
    const ModelConfig* after = nullptr;
  };
  std::map<std::string, Pair> pairs;
  for (const ModelConfig& model : running.models) {
    pairs[model.name].before = &model;
  }
  for (const ModelConfig& model : wanted.models) {
    pairs[model.name].after = &model;
  }
  for (const auto& [name, pair] : pairs) {
    const std::string table = "models.\"" + name + '"';
    if (pair.before == nullptr || pair.after == nullptr) {
      result.models.push_back(table);
      continue;
    }
    for (const Setting<ModelConfig>& entry : model_settings()) {
      const bool inherited =
          entry.same(*pair.before, running.defaults) && entry.same(*pair.after, wanted.defaults);
      if (!inherited && !entry.same(*pair.before, *pair.after)) {
        result.models.push_back(table + '.' + std::string(entry.key));
      }
    }
  }
}

template <class Section>
void keep_what_is_read_at_start(std::span<const Setting<Section>> settings, const Section& running,
                                Section& wanted) {
  for (const Setting<Section>& entry : settings) {
    if (entry.at_start) {
      entry.copy(running, wanted);
    }
  }
}

}  // namespace

Difference difference(const Config& running, const Config& wanted) {
  Difference result;
  compare("", server_settings(), running, wanted, result);
  compare("memory.", memory_settings(), running.memory, wanted.memory, result);
  compare("queue.", queue_settings(), running.queue, wanted.queue, result);
  compare("engine.", engine_settings(), running.engine, wanted.engine, result);
  compare_defaults(running, wanted, result);
  compare_models(running, wanted, result);
  if (!std::is_permutation(running.users.begin(), running.users.end(), wanted.users.begin(),
                           wanted.users.end())) {
    result.settings.emplace_back("users");
  }
  compare("tls.", tls_settings(), running.tls, wanted.tls, result);
  compare("log.", log_settings(), running.log, wanted.log, result);
  compare("store.", store_settings(), running.store, wanted.store, result);
  return result;
}

Result<Config> adopt(const Config& running, Config wanted) {
  keep_what_is_read_at_start(server_settings(), running, wanted);
  keep_what_is_read_at_start(memory_settings(), running.memory, wanted.memory);
  keep_what_is_read_at_start(engine_settings(), running.engine, wanted.engine);
  keep_what_is_read_at_start(store_settings(), running.store, wanted.store);
  const auto open = std::find_if_not(wanted.listen.begin(), wanted.listen.end(), is_loopback);
  if (wanted.users.empty() && open != wanted.listen.end()) {
    return fail(Errc::InvalidArgument,
                "users: the running server listens on " + to_text(*open) +
                    " until it is restarted, and without keys everybody who reaches it could use "
                    "and unload models, expected at least one [[users]] table or a restart");
  }
  return wanted;
}

}  // namespace hf::config
