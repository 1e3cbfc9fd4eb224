// The cards as a start of the engine would find them.
#include <chrono>

#include "engine/checkup.h"
#include "engine/gpu_state.h"
#include "readers/gpu_readers.h"

namespace hf::engine {
namespace {

constexpr std::chrono::seconds kDeviceList{30};

readers::Rung card_rung(std::string name, std::string gives, bool there, bool switched_off,
                        const std::string& word, const std::string& remedy) {
  readers::Rung rung{std::move(name), std::move(gives)};
  if (switched_off) {
    readers::switch_off(rung, word);
  } else if (!there) {
    rung.why_not = "no such card answers";
    rung.remedy = remedy;
  }
  return rung;
}

bool has_kind(const readers::GpuReading& reading, readers::GpuKind kind) {
  for (const readers::Gpu& gpu : reading.gpus) {
    if (gpu.kind == kind) {
      return true;
    }
  }
  return false;
}

readers::Need card_memory(const readers::GpuReading& reading, const Mechanisms& without) {
  const bool looked_everywhere = !without.has(Mechanism::Nvml) && !without.has(Mechanism::Amdgpu);
  if (reading.gpus.empty() && looked_everywhere) {
    return {"card memory", {{"not needed", "no card answers; models stay in RAM"}}};
  }
  return {
      "card memory",
      {card_rung("NVML", "what each NVIDIA card and each process on it holds",
                 has_kind(reading, readers::GpuKind::Nvidia), without.has(Mechanism::Nvml), "nvml",
                 "with such a card: install NVIDIA's driver, or name its library in "
                 "[memory] nvml"),
       card_rung("amdgpu sysfs", "what each AMD card and each process of ours on it holds",
                 has_kind(reading, readers::GpuKind::Amd), without.has(Mechanism::Amdgpu), "amdgpu",
                 ""),
       {"none", "models stay in RAM"}}};
}

}  // namespace

CardRoom check_cards(Checkup& checkup, const config::Config& config) {
  const config::MemoryConfig& memory = config.memory;
  readers::GpuReaders readers(gpu_sources(memory));
  const readers::GpuReading reading = readers.read({});
  checkup.ladder.push_back(card_memory(reading, memory.without));
  for (const std::string& problem : reading.problems) {
    checkup.findings.push_back({Severity::Warning, "cards: " + problem, ""});
  }
  CardRoom room;
  if (reading.gpus.empty()) {
    return room;
  }
  const bool for_commands = commands_use_cards(config);
  std::vector<std::string> devices;
  if (checkup.traits) {
    auto listed = process::probe_devices(*checkup.traits, child_environment(CardOrder::OfTheBus),
                                         kDeviceList);
    if (!listed || listed->empty()) {
      checkup.findings.push_back(
          {for_commands ? Severity::Note : Severity::Warning,
           listed ? "this engine computes on the CPU only, although the machine has cards"
                  : "cards: " + listed.error().message,
           "name an engine that was built for them: [engine] llama_server"});
    }
    devices = listed ? std::move(*listed) : std::vector<std::string>{};
  }
  FoundCards found = find_cards(reading, devices, visible_cards_of_environment(), for_commands);
  for (const std::string& remark : found.remarks) {
    checkup.findings.push_back({Severity::Warning, "cards: " + remark, ""});
  }
  for (Card& card : found.cards) {
    const readers::Gpu& gpu = *find(reading, card);
    CheckedCard checked;
    checked.terms = card_budget(card.total, others_on(gpu, {}, {}).counted(), memory.gpu_budget);
    room.add(card, checked.terms.budget);
    checked.card = std::move(card);
    checkup.cards.push_back(std::move(checked));
  }
  return room;
}

}  // namespace hf::engine
