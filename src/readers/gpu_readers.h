#pragma once
// Reads all cards there are, from the sources that are switched on. Blocking: a driver may take
// seconds for an answer, and one in trouble answers never, so this runs on a thread of its own. One
// thread at a time.

#include <memory>
#include <vector>

#include "readers/gpu.h"

namespace hf::readers {

class Nvml;

class GpuReaders {
 public:
  explicit GpuReaders(GpuSources sources);
  ~GpuReaders();
  GpuReaders(const GpuReaders&) = delete;
  GpuReaders& operator=(const GpuReaders&) = delete;

  // `ours`: the processes whose memory is wanted; sysfs would have to be searched for all others.
  // The library is opened by the first call. That there is none is no problem: most machines have
  // no card.
  GpuReading read(const std::vector<int>& ours);

 private:
  GpuSources sources_;
  bool tried_nvml_ = false;
  std::unique_ptr<Nvml> nvml_;
};

}  // namespace hf::readers
