#pragma once
// What is known of the machine's graphics cards at one moment: plain values, whoever read them.
// They exist so that the engine counts a card's bytes in the same way whether NVML or sysfs told
// them. Any thread.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace hf::readers {

enum class GpuKind { Nvidia, Amd };

struct GpuProcess {
  int pid = 0;                // as the driver sees it: in a container it may be the host's number
  std::optional<Bytes> used;  // nullopt: it is there, the driver does not say how much it holds

  bool operator==(const GpuProcess&) const = default;
};

struct Gpu {
  GpuKind kind = GpuKind::Nvidia;
  int index = 0;       // among the cards of its kind, in the order of the bus
  std::string name;    // "NVIDIA H200"
  std::string uuid;    // "GPU-…"; empty if the driver has none
  std::string pci_id;  // "0000:03:00.0", lower case; empty if not told
  Bytes total;
  Bytes used;                         // total less what can be had: what the driver keeps counts
  std::vector<GpuProcess> processes;  // by pid, each once; Amd: only those that were asked about
  bool processes_known = true;        // false: the driver did not answer that question

  bool operator==(const Gpu&) const = default;
};

struct GpuReading {
  std::vector<Gpu> gpus;              // NVIDIA's first, each kind by index
  std::vector<std::string> problems;  // for the log: what could not be read, and why

  bool operator==(const GpuReading&) const = default;
};

// Where cards are looked for, and what of it is switched off.
struct GpuSources {
  bool nvml = true;
  bool amdgpu = true;
  std::string nvml_library = "libnvidia-ml.so.1";  // as dlopen takes it
  std::filesystem::path root = "/";                // stands for "/" before sys/class/drm
  std::filesystem::path proc = "/proc";            // of the children, for tests
};

}  // namespace hf::readers
