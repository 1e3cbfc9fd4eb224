#include "engine/cards.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/lower.h"
#include "base/units.h"

namespace hf::engine {
namespace {

using readers::Gpu;
using readers::GpuKind;

constexpr Bytes kLeastReserve = 512 * kMiB;
constexpr std::int64_t kReservePart = 20;  // 5 %
constexpr Bytes kStep = 64 * kMiB;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string_view> words_between_commas(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (word.starts_with(' ')) {
      word.remove_prefix(1);
    }
    while (word.ends_with(' ')) {
      word.remove_suffix(1);
    }
    words.push_back(word);
  }
  return words;
}

std::optional<int> whole_number(std::string_view word) {
  int number = 0;
  const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  const bool whole = error == std::errc{} && stop == word.data() + word.size() && !word.empty();
  return whole ? std::optional(number) : std::nullopt;
}

// The cards that a variable leaves visible, in its order; nullopt: it cannot be understood. A
// number that no card has ends the list. Source: CUDA C++ Programming Guide, "CUDA Environment
// Variables"; HIP and ROCR read theirs in the same way.
std::optional<std::vector<const Gpu*>> chosen(const std::vector<const Gpu*>& cards,
                                              const std::optional<std::string>& wish) {
  if (!wish) {
    return cards;
  }
  std::vector<const Gpu*> result;
  for (const std::string_view word : words_between_commas(*wish)) {
    const Gpu* card = nullptr;
    if (const auto number = whole_number(word)) {
      if (*number < 0 || *number >= static_cast<int>(cards.size())) {
        return result;
      }
      card = cards[static_cast<std::size_t>(*number)];
    } else if (word.starts_with("GPU-")) {
      const auto matches = [word](const Gpu* gpu) { return gpu->uuid.starts_with(word); };
      const auto first = std::find_if(cards.begin(), cards.end(), matches);
      if (first == cards.end() || std::count_if(cards.begin(), cards.end(), matches) > 1) {
        return std::nullopt;
      }
      card = *first;
    } else {
      return std::nullopt;  // a part of a card (MIG-…), or a word of a driver we do not know
    }
    if (std::find(result.begin(), result.end(), card) != result.end()) {
      return std::nullopt;
    }
    result.push_back(card);
  }
  return result;
}

std::vector<const Gpu*> of_kind(const readers::GpuReading& reading, GpuKind kind) {
  std::vector<const Gpu*> cards;
  for (const Gpu& gpu : reading.gpus) {
    if (gpu.kind == kind) {
      cards.push_back(&gpu);
    }
  }
  return cards;
}

// "CUDA12" of family "CUDA" is 12.
std::optional<std::size_t> number_of(std::string_view device, std::string_view family) {
  if (!device.starts_with(family)) {
    return std::nullopt;
  }
  const auto number = whole_number(device.substr(family.size()));
  return number && *number >= 0 ? std::optional(static_cast<std::size_t>(*number)) : std::nullopt;
}

class Finder {
 public:
  Finder(const readers::GpuReading& reading, const std::vector<std::string>& devices)
      : reading_(reading), devices_(devices) {}

  // Devices FAMILY0, FAMILY1 … are the visible cards of that kind.
  void take_family(std::string_view family, const char* what,
                   const std::optional<std::vector<const Gpu*>>& visible) {
    for (const std::string& device : devices_) {
      const auto number = number_of(device, family);
      if (!number) {
        continue;
      }
      any_family_ = true;
      if (!visible) {
        remark(device + " is not counted: " + what + " is set to something that is not understood");
      } else if (*number >= visible->size()) {
        remark(device + " is not counted: the driver tells of " + std::to_string(visible->size()) +
               " visible cards");
      } else {
        add(device, *(*visible)[*number]);
      }
    }
  }

  // Visible cards of that kind that no device was.
  void take_others(const std::string& family,
                   const std::optional<std::vector<const Gpu*>>& visible) {
    for (std::size_t number = 0; visible && number < visible->size(); ++number) {
      add("", *(*visible)[number], family + std::to_string(number));
    }
  }

  void take_the_only_one(bool hidden) {
    if (any_family_ || devices_.empty()) {
      return;
    }
    if (devices_.size() == 1 && reading_.gpus.size() == 1 && !hidden) {
      add(devices_[0], reading_.gpus[0]);
      return;
    }
    remark("the engine's devices (" + devices_[0] + " …) are not counted: which cards they are " +
           "cannot be told");
  }

  FoundCards take() && { return std::move(found_); }

 private:
  void add(const std::string& device, const Gpu& gpu) { add(device, gpu, lower(device)); }
  void add(const std::string& device, const Gpu& gpu, const std::string& name) {
    const std::string key = key_of(gpu);
    const bool known = std::any_of(found_.cards.begin(), found_.cards.end(),
                                   [&](const Card& card) { return card.key == key; });
    if (known) {
      return;
    }
    if (found_.cards.size() == kMostCards) {
      remark(name + " is not used: there are more cards than Holdfast counts");
      return;
    }
    found_.cards.push_back({name, device, gpu.name, gpu.kind, key, gpu.total});
  }
  void remark(std::string text) { found_.remarks.push_back(std::move(text)); }

  const readers::GpuReading& reading_;
  const std::vector<std::string>& devices_;
  FoundCards found_;
  bool any_family_ = false;
};

}  // namespace

std::string key_of(const Gpu& gpu) {
  if (!gpu.uuid.empty()) {
    return gpu.uuid;
  }
  const char* kind = gpu.kind == GpuKind::Nvidia ? "nvidia " : "amd ";
  return kind + (gpu.pci_id.empty() ? std::to_string(gpu.index) : gpu.pci_id);
}

const Gpu* find(const readers::GpuReading& reading, const Card& card) {
  const auto at = std::find_if(reading.gpus.begin(), reading.gpus.end(), [&](const Gpu& gpu) {
    return gpu.kind == card.kind && key_of(gpu) == card.key;
  });
  return at == reading.gpus.end() ? nullptr : &*at;
}

VisibleCards visible_cards_of_environment() {
  return {variable("CUDA_VISIBLE_DEVICES"), variable("HIP_VISIBLE_DEVICES"),
          variable("ROCR_VISIBLE_DEVICES"), variable("GGML_VK_VISIBLE_DEVICES")};
}

FoundCards find_cards(const readers::GpuReading& reading, const std::vector<std::string>& devices,
                      const VisibleCards& visible, bool others) {
  Finder finder(reading, devices);
  const auto nvidia = chosen(of_kind(reading, GpuKind::Nvidia), visible.cuda);
  finder.take_family("CUDA", "CUDA_VISIBLE_DEVICES", nvidia);
  // ROCR hides cards from HIP, which counts what is left.
  auto amd = chosen(of_kind(reading, GpuKind::Amd), visible.rocr);
  if (amd) {
    amd = chosen(*amd, visible.hip);
  }
  finder.take_family("ROCm", "HIP_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES", amd);
  finder.take_the_only_one(visible.vulkan.has_value());
  if (others) {
    finder.take_others("cuda", nvidia);
    finder.take_others("rocm", amd);
  }
  return std::move(finder).take();
}

bool commands_use_cards(const config::Config& config) {
  return std::any_of(config.models.begin(), config.models.end(), [](const auto& model) {
    return std::any_of(model.gpu_bytes.begin(), model.gpu_bytes.end(),
                       [](Bytes bytes) { return bytes.count > 0; });
  });
}

std::vector<int> OurProcess::pids() const {
  std::vector<int> all = others;
  if (std::find(all.begin(), all.end(), pid) == all.end()) {
    all.push_back(pid);
  }
  return all;
}

CardBudget card_budget(Bytes total, Bytes others, std::optional<Bytes> configured) {
  CardBudget terms;
  terms.total = total;
  terms.others = std::clamp(others, Bytes(0), total);
  terms.reserve = std::max(kLeastReserve, Bytes(total.count / kReservePart));
  terms.configured = configured;
  terms.budget = std::max(Bytes(0), total - terms.others - terms.reserve);
  if (configured) {
    terms.budget = std::min(terms.budget, *configured);
  }
  return terms;
}

std::string arithmetic(const CardBudget& terms) {
  if (terms.configured && terms.budget == *terms.configured) {
    return format_bytes(terms.budget) + " (configured)";
  }
  return format_bytes(terms.budget) + " = " + format_bytes(terms.total) + " - " +
         format_bytes(terms.others) + " used by others - " + format_bytes(terms.reserve) +
         " in reserve";
}

bool lists(const Gpu& gpu, int pid) {
  return std::any_of(gpu.processes.begin(), gpu.processes.end(),
                     [pid](const readers::GpuProcess& process) { return process.pid == pid; });
}

std::optional<Bytes> held_on(const Gpu& gpu, int pid) {
  for (const readers::GpuProcess& process : gpu.processes) {
    if (process.pid == pid) {
      return process.used;
    }
  }
  return std::nullopt;
}

std::optional<Bytes> held_on(const Gpu& gpu, const std::vector<int>& pids) {
  std::optional<Bytes> all;
  for (const int pid : pids) {
    if (!lists(gpu, pid)) {
      continue;
    }
    const auto held = held_on(gpu, pid);
    if (!held) {
      return std::nullopt;
    }
    all = all.value_or(Bytes(0)) + *held;
  }
  return all;
}

Bytes OthersOnCard::counted() const {
  return Bytes((others.count + kStep.count - 1) / kStep.count * kStep.count);
}

OthersOnCard others_on(const Gpu& gpu, const std::vector<OurProcess>& ours,
                       const OthersOnCard& before) {
  Bytes listed;
  Bytes reserved;
  bool steady = true;
  OthersOnCard now;
  for (const OurProcess& process : ours) {
    if (const auto held = held_on(gpu, process.pids())) {
      listed += *held;
    } else if (process.reserved.count > 0) {
      reserved += process.reserved;
      steady = steady && process.steady;
      now.unlisted.push_back(process.pid);
    }
  }
  now.unlisted_used = std::max(Bytes(0), gpu.used - listed);
  now.others = std::max(Bytes(0), now.unlisted_used - reserved);
  if (now.unlisted.empty()) {
    return now;  // the driver told all
  }
  std::sort(now.unlisted.begin(), now.unlisted.end());
  Bytes at_least = before.others;
  if (!steady) {
    now.unlisted.clear();
  } else if (now.unlisted == before.unlisted) {
    now.level = std::max(now.unlisted_used, before.unlisted_used);
    now.absorbed = before.absorbed;
    if (before.level && *now.level < *before.level) {
      const Bytes fall = *before.level - *now.level;
      const Bytes known = std::min(fall, now.absorbed);
      now.absorbed -= known;
      at_least -= fall - known;
    } else if (before.level) {
      const Bytes counted = std::max(Bytes(0), now.others - before.others);
      now.absorbed += std::max(Bytes(0), *now.level - *before.level - counted);
    }
  }
  now.others = std::max(now.others, at_least);
  return now;
}

}  // namespace hf::engine
