#pragma once
// What it would cost to load a model again: measured loads from the page cache and from the disk,
// mixed by how much of the file is in the page cache. The victim choice needs it (a model that is
// back in a third of a second is the better victim), and so does a turn. Pure functions, any
// thread.

#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "store/measurement.h"

namespace hf::engine {

// Seconds of a whole load with nothing to read from the disk, and with everything.
struct LoadTimes {
  double cached = 0;
  double cold = 0;
};

// Measured where it was measured. Else assumed: half a second, and 1 GB/s from the disk or 5 GB/s
// from the page cache; never cached slower than cold.
LoadTimes load_times(const store::Measurement& measurement, Bytes file_size);

// `share` of the file in the page cache, 0…1.
Duration reload_time(const LoadTimes& times, double share);

// A load that took so long began with that share cached. From 0.9 on it is a cached one, up to 0.1
// a cold one. In between both parts took their time: the larger part's figure is what is left after
// the other part's share of the known or assumed time; if nothing is left, it teaches nothing.
// That figure is marked as computed.
void learn_load(store::Measurement& measurement, Bytes file_size, Duration took, double share);

// True if the core should hear of it: it moved by more than 10 %.
bool is_other_reload(Duration told, Duration now);

}  // namespace hf::engine
