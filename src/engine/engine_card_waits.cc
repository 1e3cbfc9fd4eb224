// Memory on a card is free when the driver has it back, which may be later than the reap: children
// that the core waits for are reported only then.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "base/units.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

bool is_on_cards(const core::Footprint& bytes) {
  return std::any_of(bytes.in.begin() + 1, bytes.in.end(), [](Bytes b) { return b.count > 0; });
}

}  // namespace

// A child has been reaped. The core hears of it at once, unless it waits for the bytes and the
// driver may still hold them. Who died unasked while it served is told at once in any case: its
// requests must not go on waiting for it, and no newcomer may be sent to it.
void Engine::Impl::child_ended(ModelId model, Generation generation,
                               const process::ChildExit& exit) {
  if (again_on_another_port(model, generation, exit)) {
    return;
  }
  const auto found = running_.find(model);
  if (found == running_.end() || found->second.generation != generation) {
    return;
  }
  Running& running = found->second;
  const core::State state = scheduler_->view(model).state;
  const bool awaited = state == core::State::Loading || state == core::State::Stopping;
  if (!has_cards() || !is_on_cards(running.reserved) || scheduler_->shutting_down() || !awaited) {
    if (has_cards() && running.pid != 0) {
      gpu_->ghosts.push_back({running.pid, running.reserved, now() + kDriverWait, running.tree});
    }
    return child_exited(model, generation, exit);
  }
  Leaving leaving{model, generation,          exit,        running.pid, {},
                  now(), now() + kDriverWait, running.tree};
  for (std::size_t i = 0; i < gpu_->cards.size(); ++i) {
    const std::size_t domain = domain_of(i);
    // Seen there at the latest look, or, where the driver does not know our numbers, surely there.
    const bool seen = running.cards_now.in[domain].count > 0;
    const bool unlisted = running.cards_seen.in[domain].count == 0 && running.ready_before_look;
    if (running.reserved.in[domain].count > 0 && (seen || unlisted)) {
      leaving.used_before.in[domain] = gpu_->cards[i].used;
    }
  }
  running.reaped_pid = std::exchange(running.pid, 0);
  gpu_->leaving.push_back(std::move(leaving));
  look_at_cards();
  start_card_timer();
}

// The driver lists it on no card, and each card it was on has less in use than while it lived.
bool Engine::Impl::is_back(const Leaving& leaving, const readers::GpuReading& reading) const {
  if (leaving.reaped > gpu_->look_began) {
    return false;
  }
  for (std::size_t i = 0; i < gpu_->cards.size(); ++i) {
    const readers::Gpu* gpu = find(reading, gpu_->cards[i].card);
    const Bytes before = leaving.used_before.in[domain_of(i)];
    const bool listed = std::any_of(leaving.tree.begin(), leaving.tree.end(),
                                    [gpu](int pid) { return gpu != nullptr && lists(*gpu, pid); });
    if (gpu == nullptr || listed || lists(*gpu, leaving.pid) ||
        (before.count > 0 && gpu->used >= before)) {
      return false;
    }
  }
  return true;
}

// After a look, or with null when time has passed. At the shutdown nobody needs the bytes.
void Engine::Impl::end_waits(const readers::GpuReading* reading) {
  std::vector<Leaving> over;
  std::erase_if(gpu_->leaving, [&](const Leaving& leaving) {
    const bool back = reading != nullptr && is_back(leaving, *reading);
    const bool overdue = leaving.until <= now() && !back;
    if (overdue) {
      spdlog::warn("{} ended {} ago and the driver has not given back its memory",
                   catalog_.name(leaving.model), format_duration(kDriverWait));
    }
    const bool ends = back || overdue || scheduler_->shutting_down();
    if (ends) {
      over.push_back(leaving);
    }
    return ends;
  });
  for (const Leaving& leaving : over) {
    child_exited(leaving.model, leaving.generation, leaving.exit);
  }
}

}  // namespace hf::engine
