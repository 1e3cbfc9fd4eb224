#include "readers/amdgpu.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "readers/proc_file.h"

namespace hf::readers {
namespace {

namespace fs = std::filesystem;

// The first line of a file of sysfs; empty if there is none.
std::string first_line(const fs::path& path) {
  const auto text = read_small_file(path);
  return text ? text->substr(0, text->find('\n')) : std::string{};
}

std::optional<Bytes> read_count(const fs::path& path) {
  const auto number = parse_number(first_line(path));
  return number ? std::optional(Bytes(*number)) : std::nullopt;
}

// "KEY=VALUE" of a uevent file.
std::string value_of(std::string_view text, std::string_view key) {
  for (const std::string_view line : lines_of(text)) {
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == '=') {
      return std::string(line.substr(key.size() + 1));
    }
  }
  return {};
}

// "card0", not "card0-HDMI-A-1", which is one of its sockets.
bool is_card(const std::string& name) {
  return name.starts_with("card") && parse_number(std::string_view(name).substr(4)).has_value();
}

std::optional<Gpu> read_card(const fs::path& device) {
  const auto total = read_count(device / "mem_info_vram_total");
  const auto used = read_count(device / "mem_info_vram_used");
  if (!total || !used || total->count <= 0) {
    return std::nullopt;
  }
  Gpu gpu;
  gpu.kind = GpuKind::Amd;
  gpu.total = *total;
  gpu.used = std::min(*used, *total);
  gpu.name = first_line(device / "product_name");
  if (gpu.name.empty()) {
    gpu.name = "AMD card";
  }
  gpu.uuid = first_line(device / "unique_id");
  gpu.pci_id = value_of(read_small_file(device / "uevent").value_or(""), "PCI_SLOT_NAME");
  return gpu;
}

// What one process holds on each card, by the card's place.
std::map<std::string, Bytes> held_by(const fs::path& process) {
  std::map<std::string, Bytes> held;
  std::set<std::pair<std::string, std::string>> seen;
  std::error_code error;
  fs::directory_iterator entry(process / "fdinfo", error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto text = read_small_file(entry->path());
    const auto client = text ? parse_drm_fdinfo(*text) : std::nullopt;
    if (client && seen.emplace(client->pci_id, client->client).second) {
      held[client->pci_id] += client->vram;
    }
  }
  return held;
}

}  // namespace

std::optional<DrmClient> parse_drm_fdinfo(std::string_view text) {
  DrmClient client;
  bool is_ours = false;
  for (const std::string_view line : lines_of(text)) {
    const auto words = words_of(line);
    if (words.size() < 2) {
      continue;
    }
    if (words[0] == "drm-driver:") {
      is_ours = words[1] == "amdgpu";
    } else if (words[0] == "drm-pdev:") {
      client.pci_id = std::string(words[1]);
    } else if (words[0] == "drm-client-id:") {
      client.client = std::string(words[1]);
    } else if (words[0] == "drm-memory-vram:" && words.size() == 3 && words[2] == "KiB") {
      client.vram = parse_number(words[1]).value_or(0) * kKiB;
    }
  }
  return is_ours && !client.pci_id.empty() ? std::optional(client) : std::nullopt;
}

std::vector<Gpu> read_amdgpu(const fs::path& root, const fs::path& proc,
                             const std::vector<int>& ours) {
  std::vector<Gpu> gpus;
  std::error_code error;
  fs::directory_iterator entry(root / "sys/class/drm", error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_card(entry->path().filename().string())) {
      if (auto gpu = read_card(entry->path() / "device")) {
        gpus.push_back(std::move(*gpu));
      }
    }
  }
  std::sort(gpus.begin(), gpus.end(),
            [](const Gpu& a, const Gpu& b) { return a.pci_id < b.pci_id; });
  for (std::size_t i = 0; i < gpus.size(); ++i) {
    gpus[i].index = static_cast<int>(i);
  }
  std::vector<int> pids = gpus.empty() ? std::vector<int>{} : ours;
  std::sort(pids.begin(), pids.end());
  for (const int pid : pids) {
    for (const auto& [pci_id, bytes] : held_by(proc / std::to_string(pid))) {
      for (Gpu& gpu : gpus) {
        if (gpu.pci_id == pci_id) {
          gpu.processes.push_back({pid, bytes});
        }
      }
    }
  }
  return gpus;
}

}  // namespace hf::readers
