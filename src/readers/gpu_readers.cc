#include "readers/gpu_readers.h"

#include <utility>

#include "readers/amdgpu.h"
#include "readers/nvml.h"

namespace hf::readers {

GpuReaders::GpuReaders(GpuSources sources) : sources_(std::move(sources)) {}
GpuReaders::~GpuReaders() = default;

GpuReading GpuReaders::read(const std::vector<int>& ours) {
  GpuReading reading;
  if (sources_.nvml && !std::exchange(tried_nvml_, true)) {
    auto opened = Nvml::open(sources_.nvml_library);
    if (opened) {
      nvml_ = std::move(*opened);
    } else if (opened.error().code != Errc::NotFound) {
      reading.problems.push_back(std::move(opened.error().message));
    }
  }
  if (nvml_) {
    GpuReading nvidia = nvml_->read();
    reading.gpus = std::move(nvidia.gpus);
    reading.problems.insert(reading.problems.end(), nvidia.problems.begin(), nvidia.problems.end());
  }
  if (sources_.amdgpu) {
    for (Gpu& gpu : read_amdgpu(sources_.root, sources_.proc, ours)) {
      reading.gpus.push_back(std::move(gpu));
    }
  }
  return reading;
}

}  // namespace hf::readers
