#pragma once
// What a reload has to do: which settings differ between the configuration that runs and the one
// that is wanted, and the part of the wanted one that can be had without a restart. It exists so
// that "touches only what changed" is decided in one place, from the declarations in settings.cc.
// Pure, any thread.

#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

namespace hf::config {

// Keys as they stand in a file, in the order of docs/config.md.
struct Difference {
  std::vector<std::string> settings;        // "queue.patience", "defaults.context", "users"
  std::vector<std::string> models;          // models."a".ttl; models."a": its table came or went
  std::vector<std::string> restart_needed;  // "listen": read at the start only
};

// A model's key is not named if both values are those of [defaults].
Difference difference(const Config& running, const Config& wanted);

// `wanted` with the settings that are read at the start taken from `running`. Errors:
// InvalidArgument if that mixture must not run: no keys while the open port is not loopback.
Result<Config> adopt(const Config& running, Config wanted);

}  // namespace hf::config
