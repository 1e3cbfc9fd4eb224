#include "engine/gpu_state.h"

#include <algorithm>

namespace hf::engine {

bool GpuState::end() {
  back->close();
  if (readers) {
    // The driver's library is closed there, too: that may hang like everything else in it.
    thread.run([last = std::move(readers)] {});
  }
  return thread.end();
}

readers::GpuSources gpu_sources(const config::MemoryConfig& memory) {
  readers::GpuSources sources;
  sources.nvml = !memory.without.has(Mechanism::Nvml);
  sources.amdgpu = !memory.without.has(Mechanism::Amdgpu);
  sources.nvml_library = memory.nvml;
  sources.root = memory.proc_root;
  return sources;
}

core::Footprint card_budgets(const GpuState* gpu, const config::Config& config) {
  core::Footprint budgets;
  for (std::size_t i = 0; gpu != nullptr && i < gpu->cards.size(); ++i) {
    const CardState& state = gpu->cards[i];
    budgets.in[domain_of(i)] =
        card_budget(state.card.total, state.others, config.memory.gpu_budget).budget;
  }
  return budgets;
}

core::Footprint taken_of_cards(const GpuState* gpu, const config::Config& config) {
  core::Footprint taken;
  for (std::size_t i = 0; gpu != nullptr && i < gpu->cards.size(); ++i) {
    const CardState& state = gpu->cards[i];
    const std::optional<Bytes> configured = config.memory.gpu_budget;
    const Bytes placed_by = card_budget(state.card.total, state.others_at_start, configured).budget;
    const Bytes now = card_budget(state.card.total, state.others, configured).budget;
    taken.in[domain_of(i)] = std::max(Bytes(0), placed_by - now);
  }
  return taken;
}

CardRoom card_room(const GpuState* gpu, const config::Config& config) {
  std::vector<Bytes> others;
  for (std::size_t i = 0; gpu != nullptr && i < gpu->cards.size(); ++i) {
    others.push_back(gpu->cards[i].others_at_start);
  }
  return card_room(gpu, config, others);
}

std::vector<Bytes> others_now(const GpuState* gpu) {
  std::vector<Bytes> others;
  for (std::size_t i = 0; gpu != nullptr && i < gpu->cards.size(); ++i) {
    others.push_back(gpu->cards[i].others);
  }
  return others;
}

CardRoom card_room(const GpuState* gpu, const config::Config& config,
                   const std::vector<Bytes>& others) {
  CardRoom room;
  for (std::size_t i = 0; i < others.size(); ++i) {
    const Card& card = gpu->cards[i].card;
    const CardBudget terms = card_budget(card.total, others[i], config.memory.gpu_budget);
    room.add(card, terms.budget);
  }
  return room;
}

void place_by(GpuState* gpu, const std::vector<Bytes>& others) {
  for (std::size_t i = 0; i < others.size(); ++i) {
    gpu->cards[i].others_at_start = others[i];
  }
}

std::vector<DomainStatus> card_domains(const GpuState* gpu) {
  std::vector<DomainStatus> domains;
  for (std::size_t i = 0; gpu != nullptr && i < gpu->cards.size(); ++i) {
    const CardState& state = gpu->cards[i];
    domains.push_back({state.card.name, state.card.total, state.used});
  }
  return domains;
}

std::vector<std::string> card_warnings(const GpuState* gpu) {
  std::vector<std::string> warnings;
  for (std::size_t i = 0; gpu != nullptr && i < gpu->cards.size(); ++i) {
    if (gpu->cards[i].missing || gpu->silence_told) {
      warnings.push_back(gpu->cards[i].card.name + " cannot be read: its figures are old");
    }
  }
  return warnings;
}

std::string on_domain(const GpuState* gpu, std::size_t domain) {
  const bool card = gpu != nullptr && domain != core::kHostRam && domain <= gpu->cards.size();
  return card ? " on " + gpu->cards[domain - 1].card.name : std::string();
}

}  // namespace hf::engine
