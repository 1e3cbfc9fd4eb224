#include "readers/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <initializer_list>
#include <utility>
#include <vector>

namespace hf::readers {
namespace {

// From the public reference. A return value is an enumeration of the size of an int.
using Code = int;
using Handle = void*;  // nvmlDevice_t, opaque
constexpr Code kSuccess = 0;
constexpr Code kDriverNotLoaded = 9;
constexpr Code kInsufficientSize = 7;
constexpr std::uint64_t kNotAvailable = ~std::uint64_t{0};
constexpr unsigned kNameBytes = 96;  // NVML_DEVICE_NAME_V2_BUFFER_SIZE, and the UUID's

struct MemoryInfo {  // nvmlMemory_t
  unsigned long long total, free, used;
};
struct PciInfo {  // nvmlPciInfo_t of nvmlDeviceGetPciInfo_v3
  std::array<char, 16> bus_id_legacy;
  unsigned domain, bus, device, device_id, subsystem_id;
  std::array<char, 32> bus_id;
};
struct ProcessInfoOld {  // of the functions without a version
  unsigned pid;
  unsigned long long used;
};
struct ProcessInfo {  // of those with _v2 and _v3
  unsigned pid;
  unsigned long long used;
  unsigned gpu_instance, compute_instance;
};

// More cards than any box has; it bounds the loop over an odd answer.
constexpr unsigned kMostCards = 64;
// Processes on one card: the list is asked for again when more came meanwhile.
constexpr unsigned kFirstProcesses = 64;
constexpr unsigned kMostProcesses = 65536;
constexpr int kProcessAttempts = 4;

std::string terminated(const std::array<char, kNameBytes>& text) {
  return {text.data(),
          static_cast<std::size_t>(std::find(text.begin(), text.end(), '\0') - text.begin())};
}

// "00000000:03:00.0" as the kernel writes it: four digits of domain, lower case.
std::string kernel_pci_id(const PciInfo& info) {
  std::string id(info.bus_id.data(),
                 static_cast<std::size_t>(std::find(info.bus_id.begin(), info.bus_id.end(), '\0') -
                                          info.bus_id.begin()));
  std::transform(id.begin(), id.end(), id.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  if (id.size() == 16 && id.starts_with("0000")) {
    id.erase(0, 4);
  }
  return id;
}

// Adds a list of processes; one that is in both lists computes and draws in the same memory.
void add_processes(std::vector<GpuProcess>& all, std::vector<GpuProcess> more) {
  for (GpuProcess& process : more) {
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const GpuProcess& known) { return known.pid == process.pid; });
    if (at == all.end()) {
      all.push_back(process);
    } else {
      at->used = std::max(at->used, process.used);
    }
  }
  std::sort(all.begin(), all.end(),
            [](const GpuProcess& a, const GpuProcess& b) { return a.pid < b.pid; });
}

}  // namespace

// The opened library and the functions found in it; a null pointer: it has no such function.
struct Nvml::Library {
  explicit Library(void* opened) : handle(opened) {}
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() {
    if (started && shutdown != nullptr) {
      shutdown();
    }
    ::dlclose(handle);
  }

  // The first of the names that is there.
  template <class Function>
  void find(Function*& function, std::initializer_list<const char*> names) {
    for (const char* symbol : names) {
      function = reinterpret_cast<Function*>(::dlsym(handle, symbol));
      if (function != nullptr) {
        return;
      }
    }
  }
  void find_all() {
    find(init, {"nvmlInit_v2", "nvmlInit"});
    find(shutdown, {"nvmlShutdown"});
    find(error_string, {"nvmlErrorString"});
    find(count, {"nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"});
    find(by_index, {"nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"});
    find(name, {"nvmlDeviceGetName"});
    find(uuid, {"nvmlDeviceGetUUID"});
    find(pci, {"nvmlDeviceGetPciInfo_v3"});
    find(memory, {"nvmlDeviceGetMemoryInfo"});
    find(compute,
         {"nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetComputeRunningProcesses_v2"});
    find(compute_old, {"nvmlDeviceGetComputeRunningProcesses"});
    find(graphics,
         {"nvmlDeviceGetGraphicsRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v2"});
  }

  [[nodiscard]] std::string words(Code status) const {
    const char* text = error_string == nullptr ? nullptr : error_string(status);
    return text == nullptr ? "error " + std::to_string(status) : text;
  }

  // nullopt: the driver does not answer that.
  template <class Info>
  static std::optional<std::vector<GpuProcess>> processes(Code (*ask)(Handle, unsigned*, Info*),
                                                          Handle card) {
    unsigned wanted = kFirstProcesses;
    for (int attempt = 0; attempt < kProcessAttempts; ++attempt) {
      std::vector<Info> list(wanted);
      unsigned count = wanted;
      const Code status = ask(card, &count, list.data());
      if (status == kInsufficientSize) {
        wanted = std::min(kMostProcesses, std::max(count, wanted) + kFirstProcesses);
        continue;
      }
      if (status != kSuccess) {
        return std::nullopt;
      }
      list.resize(std::min(count, wanted));
      std::vector<GpuProcess> result;
      for (const Info& info : list) {
        GpuProcess process{static_cast<int>(info.pid), std::nullopt};
        if (info.used != kNotAvailable) {
          process.used = Bytes(static_cast<std::int64_t>(info.used));
        }
        result.push_back(process);
      }
      return result;
    }
    return std::nullopt;
  }

  void read_processes(Handle card, Gpu& gpu) const {
    std::optional<std::vector<GpuProcess>> computing;
    if (compute != nullptr) {
      computing = processes(compute, card);
    } else if (compute_old != nullptr) {
      computing = processes(compute_old, card);
    }
    gpu.processes_known = computing.has_value();
    add_processes(gpu.processes, computing.value_or(std::vector<GpuProcess>{}));
    // An engine that computes by Vulkan is among those that draw.
    if (graphics != nullptr) {
      add_processes(gpu.processes, processes(graphics, card).value_or(std::vector<GpuProcess>{}));
    }
  }

  Result<Gpu> read_card(unsigned index) const {
    Handle card = nullptr;
    if (const Code status = by_index(index, &card); status != kSuccess) {
      return fail(Errc::Unavailable, words(status));
    }
    MemoryInfo info{};
    if (const Code status = memory(card, &info); status != kSuccess) {
      return fail(Errc::Unavailable, "its memory: " + words(status));
    }
    Gpu gpu;
    gpu.index = static_cast<int>(index);
    gpu.total = Bytes(static_cast<std::int64_t>(info.total));
    // In both versions of this call the driver's own share is neither free nor anybody's.
    gpu.used = Bytes(static_cast<std::int64_t>(info.total - std::min(info.free, info.total)));
    std::array<char, kNameBytes> text{};
    if (name != nullptr && name(card, text.data(), kNameBytes) == kSuccess) {
      gpu.name = terminated(text);
    }
    text = {};
    if (uuid != nullptr && uuid(card, text.data(), kNameBytes) == kSuccess) {
      gpu.uuid = terminated(text);
    }
    PciInfo place{};
    if (pci != nullptr && pci(card, &place) == kSuccess) {
      gpu.pci_id = kernel_pci_id(place);
    }
    read_processes(card, gpu);
    return gpu;
  }

  void* handle;
  bool started = false;
  Code (*init)() = nullptr;
  Code (*shutdown)() = nullptr;
  const char* (*error_string)(Code) = nullptr;
  Code (*count)(unsigned*) = nullptr;
  Code (*by_index)(unsigned, Handle*) = nullptr;
  Code (*name)(Handle, char*, unsigned) = nullptr;
  Code (*uuid)(Handle, char*, unsigned) = nullptr;
  Code (*pci)(Handle, PciInfo*) = nullptr;
  Code (*memory)(Handle, MemoryInfo*) = nullptr;
  Code (*compute)(Handle, unsigned*, ProcessInfo*) = nullptr;
  Code (*compute_old)(Handle, unsigned*, ProcessInfoOld*) = nullptr;
  Code (*graphics)(Handle, unsigned*, ProcessInfo*) = nullptr;
};

Nvml::Nvml(std::unique_ptr<Library> library) : library_(std::move(library)) {}
Nvml::~Nvml() = default;

Result<std::unique_ptr<Nvml>> Nvml::open(const std::string& library) {
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return fail(Errc::NotFound, why == nullptr ? library + ": cannot be opened" : why);
  }
  auto opened = std::make_unique<Library>(handle);
  opened->find_all();
  if (opened->init == nullptr || opened->count == nullptr || opened->by_index == nullptr ||
      opened->memory == nullptr) {
    return fail(Errc::Unsupported, library + ": has not the functions that tell a card's memory");
  }
  const Code status = opened->init();
  if (status != kSuccess) {
    // The library without its driver: a machine from which the card was taken out.
    return fail(status == kDriverNotLoaded ? Errc::NotFound : Errc::Unavailable,
                library + ": " + opened->words(status));
  }
  opened->started = true;
  return std::unique_ptr<Nvml>(new Nvml(std::move(opened)));
}

GpuReading Nvml::read() {
  GpuReading reading;
  unsigned count = 0;
  if (const Code status = library_->count(&count); status != kSuccess) {
    reading.problems.push_back("NVIDIA's cards cannot be counted: " + library_->words(status));
    return reading;
  }
  for (unsigned index = 0; index < std::min(count, kMostCards); ++index) {
    auto gpu = library_->read_card(index);
    if (gpu) {
      reading.gpus.push_back(std::move(*gpu));
    } else {
      reading.problems.push_back("NVIDIA card " + std::to_string(index) + ": " +
                                 gpu.error().message);
    }
  }
  return reading;
}

}  // namespace hf::readers
