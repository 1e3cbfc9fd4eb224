#pragma once
// NVIDIA's management library, opened at run time: most machines do not have it, and a program that
// was linked against it would not start there. Its few functions are declared in nvml.cc from the
// public reference (docs.nvidia.com/deploy/nvml-api); any of them may be missing in an old driver
// or fail, and then less is known. Calls may block for seconds. One thread at a time.

#include <memory>
#include <string>

#include "base/result.h"
#include "readers/gpu.h"

namespace hf::readers {

class Nvml {
 public:
  // `library` as dlopen takes it. Errors: NotFound (no such library, or no driver behind it),
  // Unsupported (a function without which nothing can be known is missing), Unavailable (it does
  // not start, with the library's own words).
  static Result<std::unique_ptr<Nvml>> open(const std::string& library);
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  // All cards by index. One that does not answer is left out, and `problems` says why.
  GpuReading read();

 private:
  struct Library;
  explicit Nvml(std::unique_ptr<Library> library);

  std::unique_ptr<Library> library_;
};

}  // namespace hf::readers
