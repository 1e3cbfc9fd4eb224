#pragma once
// One look at models_dir and the configured models against what is known of them. It exists so that
// the periodic look and a reload find the same things in the same way. Blocking: on the worker
// thread. Plain values in and out.

#include <map>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "config/config.h"
#include "engine/model_file.h"

namespace hf::engine {

struct Scan {
  Found found;
  std::vector<ModelFile> changed;  // new, or different in settings or on disk; inspected
};

// `cards`: with nothing placed on them; the models are placed in the order of their names, each
// beside all others that are known. `again`: inspect everything, because the budget, which decides
// about contexts, is another one.
Scan scan_models(const config::Config& config, const std::map<std::string, ModelFile>& known,
                 Bytes budget, bool again, CardRoom cards = {});

}  // namespace hf::engine
