#include "engine/scan.h"

#include "engine/card_plan.h"

namespace hf::engine {

Scan scan_models(const config::Config& config, const std::map<std::string, ModelFile>& known,
                 Bytes budget, bool again, CardRoom cards) {
  Scan scan;
  scan.found = find_models(config);
  for (const auto& [name, file] : known) {
    count_in(cards, file, 1);
  }
  for (const ModelSource& source : scan.found.sources) {
    const auto before = known.find(source.settings.name);
    if (again || before == known.end() || !(before->second.source == source) ||
        has_changed(before->second)) {
      const ModelFile* old = before == known.end() ? nullptr : &before->second;
      if (old != nullptr) {
        count_in(cards, *old, -1);
      }
      scan.changed.push_back(inspect(source, budget, cards, old));
      count_in(cards, scan.changed.back(), 1);
    }
  }
  return scan;
}

}  // namespace hf::engine
