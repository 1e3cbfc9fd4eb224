#include "engine/raised_estimates.h"

#include <utility>

namespace hf::engine {

void RaisedEstimates::note(ModelId model, store::MeasurementKey key, const core::Footprint& least) {
  raises_.insert_or_assign(model, Raise{std::move(key), least});
}

bool RaisedEstimates::settle(ModelId model, const store::MeasurementKey& key,
                             const core::Footprint& seen) {
  const auto raise = raises_.find(model);
  if (raise == raises_.end() || raise->second.key != key) {
    return false;
  }
  const core::Footprint before = raise->second.least;
  core::Footprint& least = raise->second.least;
  for (std::size_t d = 0; d < core::kDomains; ++d) {
    least.in[d] = seen.in[d].count > 0 ? Bytes(0) : least.in[d];
  }
  const bool news = least != before;
  if (least == core::Footprint{}) {
    raises_.erase(raise);
  }
  return news;
}

std::vector<ModelId> RaisedEstimates::raised() const {
  std::vector<ModelId> models;
  for (const auto& [model, raise] : raises_) {
    models.push_back(model);
  }
  return models;
}

core::Footprint RaisedEstimates::least(ModelId model, const store::MeasurementKey& key) const {
  const auto raise = raises_.find(model);
  return raise == raises_.end() || raise->second.key != key ? core::Footprint{}
                                                            : raise->second.least;
}

}  // namespace hf::engine
