#include "engine/raised_estimates.h"

#include <utility>

namespace hf::engine {

void RaisedEstimates::note(ModelId model, store::MeasurementKey key, const core::Footprint& least) {
  raises_.insert_or_assign(model, Raise{std::move(key), least});
}

bool RaisedEstimates::settle(ModelId model, const store::MeasurementKey& key) {
  const auto raise = raises_.find(model);
  if (raise == raises_.end() || raise->second.key != key) {
    return false;
  }
  raises_.erase(raise);
  return true;
}

core::Footprint RaisedEstimates::least(ModelId model, const store::MeasurementKey& key) const {
  const auto raise = raises_.find(model);
  return raise == raises_.end() || raise->second.key != key ? core::Footprint{}
                                                            : raise->second.least;
}

}  // namespace hf::engine
