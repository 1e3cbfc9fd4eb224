#include "engine/scan.h"

namespace hf::engine {

Scan scan_models(const config::Config& config, const std::map<std::string, ModelFile>& known,
                 Bytes budget, bool again) {
  Scan scan;
  scan.found = find_models(config);
  for (const ModelSource& source : scan.found.sources) {
    const auto before = known.find(source.settings.name);
    if (again || before == known.end() || !(before->second.source == source) ||
        has_changed(before->second)) {
      scan.changed.push_back(inspect(source, budget));
    }
  }
  return scan;
}

}  // namespace hf::engine
