#include "engine/speeds.h"

#include <algorithm>

namespace hf::engine {
namespace {

void take_slower(std::optional<double>& slowest, const std::optional<double>& rate) {
  if (rate) {
    slowest = slowest ? std::min(*slowest, *rate) : *rate;
  }
}

}  // namespace

KnownSpeeds known_speeds(const SpeedTable& table, const store::MeasurementKey& key) {
  KnownSpeeds own;
  KnownSpeeds others;
  // The rows of one file lie side by side.
  for (auto row = table.lower_bound({key.file, "", ""});
       row != table.end() && row->first.file == key.file; ++row) {
    if (row->first.engine == key.engine) {
      KnownSpeeds& slowest = row->first == key ? own : others;
      take_slower(slowest.decode, row->second.decode.value());
      take_slower(slowest.prefill, row->second.prefill.value());
    }
  }
  return {own.decode ? own.decode : others.decode, own.prefill ? own.prefill : others.prefill};
}

}  // namespace hf::engine
