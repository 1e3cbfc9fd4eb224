#pragma once
// The least that models are given at their next load because an earlier one ran out of memory. Why
// it exists: the core asks for a quarter more after such a load and forgets it with the next
// footprint that it is told, and what is told is often older than the failure: the prediction, or
// the high-water mark of an earlier, smaller generation. Then the next load would fail in the same
// way. Plain values; loop thread.

#include <map>
#include <vector>

#include "base/ids.h"
#include "core/footprint.h"
#include "store/measurement.h"

namespace hf::engine {

class RaisedEstimates {
 public:
  // A load of these files and options ran out of memory; the core asks for `least` from now on. It
  // has kept that within what can be given at all.
  void note(ModelId model, store::MeasurementKey key, const core::Footprint& least);
  // A generation of the same files and options served, was measured and ended as it was told: what
  // was seen of it counts again, in each domain in which it was seen (a driver need not list it).
  // False if there was nothing to forget.
  bool settle(ModelId model, const store::MeasurementKey& key, const core::Footprint& seen);
  // Nothing in every domain if no such load failed.
  [[nodiscard]] core::Footprint least(ModelId model, const store::MeasurementKey& key) const;
  [[nodiscard]] std::vector<ModelId> raised() const;

 private:
  struct Raise {
    store::MeasurementKey key;
    core::Footprint least;
  };
  // One a model: of other files or options nothing is known, and an old failure tells nothing.
  std::map<ModelId, Raise> raises_;
};

}  // namespace hf::engine
