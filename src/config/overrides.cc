#include <span>

#include "config/draft.h"
#include "config/settings.h"

namespace hf::config {
namespace {

struct Flag {
  std::string_view name;    // "--budget"
  std::string_view dotted;  // "memory.budget"
  const std::optional<std::string>& text;
};

template <class Section>
void apply(Draft& draft, std::span<const Setting<Section>> settings, Section& section,
           const Flag& flag) {
  if (!flag.text) {
    return;
  }
  const Place place{std::string(flag.name), 0, 0};
  draft.places[std::string(flag.dotted)] = place;
  const std::string_view key = flag.dotted.substr(flag.dotted.find('.') + 1);
  for (const Setting<Section>& entry : settings) {
    if (entry.key != key) {
      continue;
    }
    Value value;
    value.data = *flag.text;
    if (Problem problem = entry.assign(entry, value, section)) {
      draft.add_error(place, std::move(*problem));
    }
  }
}

}  // namespace

void apply_overrides(const Overrides& overrides, Draft& draft) {
  Config& config = draft.config;
  apply(draft, server_settings(), config, {"--listen", "listen", overrides.listen});
  apply(draft, server_settings(), config, {"--models-dir", "models_dir", overrides.models_dir});
  apply(draft, memory_settings(), config.memory, {"--budget", "memory.budget", overrides.budget});
  apply(draft, engine_settings(), config.engine,
        {"--llama-server", "engine.llama_server", overrides.llama_server});
  apply(draft, log_settings(), config.log, {"--log-level", "log.level", overrides.log_level});
  apply(draft, log_settings(), config.log,
        {"--log-language", "log.language", overrides.log_language});
  apply(draft, log_settings(), config.log, {"--log-format", "log.format", overrides.log_format});
  apply(draft, store_settings(), config.store, {"--store", "store.path", overrides.store});
  apply(draft, store_settings(), config.store, {"--journal", "store.journal", overrides.journal});
}

}  // namespace hf::config
