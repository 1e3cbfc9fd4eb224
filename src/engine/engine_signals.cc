// What the kernel says about memory, and when it is asked: twice a second, and at once when its
// pressure trigger wakes us.
#include <spdlog/spdlog.h>

#include <utility>

#include "engine/impl.h"
#include "readers/ladder.h"
#include "readers/pressure_trigger.h"

namespace hf::engine {
namespace {

// The kernel promises at most one report in a window of 2 s: oftener, the descriptor is broken.
constexpr std::chrono::seconds kLeastBetweenStalls{1};

// Who reads the log learns what this machine does not offer, and what is done instead.
void tell_fall_backs(const std::vector<readers::Need>& needs) {
  for (const readers::Need& need : needs) {
    if (need.on_best()) {
      continue;
    }
    const readers::Rung& best = need.rungs.front();
    const bool on_floor = need.standing() + 1 == need.rungs.size();
    spdlog::log(on_floor ? spdlog::level::warn : spdlog::level::info, "{}: {} instead of {} ({})",
                need.name, need.rung().name, best.name, best.why_not);
  }
}

}  // namespace

void Engine::Impl::watch_pressure() {
  const config::MemoryConfig& memory = config_->memory;
  tell_fall_backs(readers::inspect_ladder(memory.proc_root, memory.without));
  if (memory.without.has(Mechanism::Psi) || memory.without.has(Mechanism::PsiTrigger)) {
    return;
  }
  const auto file = readers::pressure_file_now(memory.proc_root, memory.without);
  if (auto trigger = readers::PressureTrigger::arm(file)) {
    stall_trigger_.emplace(io_, trigger->release());
    wait_for_stall();
  }
}

// The kernel reports POLLPRI, which Asio calls an error condition. The regular reading goes on: a
// report that comes while none is waited for is lost, and how much memory is in use has no trigger.
void Engine::Impl::wait_for_stall() {
  const auto on_report = [this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive || stopped_) {
      return;
    }
    const TimePoint before = last_stall_.value_or(TimePoint());
    last_stall_ = now();
    if (*last_stall_ - before < kLeastBetweenStalls) {
      spdlog::warn("pressure alarm: PSI totals instead of PSI trigger (it does not come to rest)");
      stall_trigger_.reset();
      return;
    }
    spdlog::debug("memory: tasks stand still");
    read_memory();
    wait_for_stall();
  };
  stall_trigger_->async_wait(boost::asio::posix::stream_descriptor::wait_error, on_report);
}

void Engine::Impl::read_memory() {
  const config::MemoryConfig& memory = config_->memory;
  auto snapshot = readers::read_snapshot(memory.proc_root, memory.without, now());
  if (!snapshot) {
    signals_.reset();
    signal_tracker_.forget();
    if (++memory_failures_ == 1) {
      spdlog::warn("memory cannot be read: {}", snapshot.error().message);
    }
    if (memory_failures_ == kBlindReadings) {
      // An old alarm must not stop all loads for ever.
      feed(core::event::MemoryReading{0});
    }
    return;
  }
  memory_failures_ = 0;
  readers::MemorySignals signals = signal_tracker_.take(std::move(*snapshot));
  tell_oom_kills(signals);
  core::event::MemoryReading reading;
  reading.used_percent = signals.snapshot.machine.used_percent;
  reading.stalled = signals.stalled;
  signals_ = std::move(signals);
  feed(reading);
}

// Whoever was killed, it was not by a decision of ours.
void Engine::Impl::tell_oom_kills(const readers::MemorySignals& signals) const {
  const std::int64_t before = signals_ ? signals_->oom_kills.value_or(0) : 0;
  const std::int64_t more = signals.oom_kills.value_or(0) - before;
  if (more > 0 && signals_) {
    spdlog::warn("the kernel killed {} process(es) for want of memory in {}", more,
                 signals.snapshot.cgroup_events ? "our cgroup" : "this machine");
  }
}

StallSource Engine::Impl::stall_source() const {
  if (!signals_ || !signals_->snapshot.pressure) {
    return StallSource::None;
  }
  return stall_trigger_ ? StallSource::PsiTrigger : StallSource::Psi;
}

}  // namespace hf::engine
