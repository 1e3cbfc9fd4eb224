#pragma once
// The slowest speeds that were measured, per file, options and engine. It exists because a file
// with other options, such as another context, was never measured with them: until it is, the
// slowest of what the same file reached in this engine stands for it, rather than nothing. Pure,
// any thread.

#include <map>
#include <optional>

#include "store/measurement.h"
#include "store/slowest_rate.h"

namespace hf::engine {

struct Speeds {
  store::SlowestRate decode;
  store::SlowestRate prefill;
};
using SpeedTable = std::map<store::MeasurementKey, Speeds>;

// Tokens/s; nullopt: this file was never measured in this engine.
struct KnownSpeeds {
  std::optional<double> decode;
  std::optional<double> prefill;
};

// Each rate of the key itself, or the slowest of the keys that differ in nothing but the options.
KnownSpeeds known_speeds(const SpeedTable& table, const store::MeasurementKey& key);

}  // namespace hf::engine
