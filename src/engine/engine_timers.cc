// What is looked at again and again: the machine's memory, the children's, the model folder, the
// history.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/units.h"
#include "engine/impl.h"
#include "engine/words.h"

namespace hf::engine {
namespace {

using std::chrono::milliseconds;

// Pressure must be answered within seconds; reading two small files twice a second costs nothing.
constexpr milliseconds kMemoryPeriod{500};
// smaps_rollup walks the child's page tables.
constexpr milliseconds kMeasurePeriod{2000};
// A new file shows up soon; a stat per known file is cheap.
constexpr milliseconds kRescanPeriod{1000};
// What a crash of the server may forget.
constexpr milliseconds kSavePeriod{5000};
// What a reload costs changes as fast as other files are read.
constexpr milliseconds kPageCachePeriod{5000};

}  // namespace

void Engine::Impl::every(boost::asio::steady_timer& timer, milliseconds period,
                         void (Impl::*what)()) {
  timer.expires_after(period);
  timer.async_wait(
      [this, &timer, period, what, alive = alive_](const boost::system::error_code& error) {
        if (error || !*alive || stopped_) {
          return;
        }
        (this->*what)();
        every(timer, period, what);
      });
}

void Engine::Impl::start_timers() {
  watch_pressure();
  read_memory();
  every(memory_timer_, kMemoryPeriod, &Impl::read_memory);
  every(measure_timer_, kMeasurePeriod, &Impl::measure_children);
  every(others_timer_, kMeasurePeriod, &Impl::watch_others);
  every(rescan_timer_, kRescanPeriod, &Impl::rescan);
  every(save_timer_, kSavePeriod, &Impl::save_history);
  start_card_timer();
  look_at_page_cache();
  every(page_cache_timer_, kPageCachePeriod, &Impl::look_at_page_cache);
}

// Use counts and episodes of models that were used since the last time.
void Engine::Impl::save_history() {
  if (!store_) {
    return;
  }
  save_requests();
  const std::int64_t wall = wall_clock_ms();
  std::vector<store::ModelStats> changed;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const core::ModelView view = scheduler_->view(ModelId(i));
    store::ModelStats stats;
    stats.name = catalog_.name(ModelId(i));
    stats.use_count = static_cast<std::int64_t>(view.use_count);
    stats.episodes = view.episodes;
    stats.episodes_at_ms = wall;
    stats.last_use_ms = wall - millis_of(view.since_last_use);
    const auto before = stats_.find(stats.name);
    const std::int64_t saved = before == stats_.end() ? 0 : before->second.use_count;
    if (saved != stats.use_count) {
      stats_[stats.name] = stats;
      changed.push_back(std::move(stats));
    }
  }
  if (changed.empty()) {
    return;
  }
  worker_.run([store = store_, changed = std::move(changed)] {
    if (auto saved = store->save_model_stats(changed); !saved) {
      spdlog::warn("history: {}", saved.error().message);
    }
  });
}

// The critical mark has a line of its own, with an alarm.
void Engine::Impl::note_level(core::PressureLevel before) {
  const core::MemoryView memory = scheduler_->memory();
  if (memory.level == before || memory.level == core::PressureLevel::Critical) {
    return;
  }
  const config::MemoryConfig& marks = config_->memory;
  if (memory.level == core::PressureLevel::Normal) {
    spdlog::info("memory is at {:.1f}%: its pressure is over, loads go on", memory.used_percent);
  } else if (before == core::PressureLevel::Normal && memory.used_percent >= marks.high) {
    spdlog::info(
        "memory is at {:.1f}%, at or above the high mark of {}%: idle models leave one by one, and "
        "nothing is loaded, until it is below {}%",
        memory.used_percent, marks.high, marks.low);
  }
}

// The program's own advice, with figures: how much more memory would have held everybody.
void Engine::Impl::warn_relief(const core::action::Notice& notice) {
  Relief relief;
  relief.lasted = notice.lasted;
  relief.in_use = names_of(notice.names);
  relief.pinned = names_of(notice.pinned_names);
  const core::MemoryView memory = scheduler_->memory();
  relief.yielded = yielding_.full() - yielding_.current();
  core::Footprint budget = memory.budget;  // somebody else's use is not a reason to configure less
  budget.in[core::kHostRam] += relief.yielded;
  relief.budget = budget.total();
  core::Footprint wanted = memory.reserved + memory.debt;
  for (const core::WaitView& wait : scheduler_->waiting()) {
    if (wait.position == 0) {
      continue;  // loading, or waiting for a slot: memory is not what it lacks
    }
    relief.waiting.push_back(catalog_.name(wait.model));
    relief.oldest_wait = std::max(relief.oldest_wait, wait.oldest);
    const core::ModelView view = scheduler_->view(wait.model);
    if (view.reserved == core::Footprint{}) {
      wanted += view.estimate;
    }
  }
  relief.more_needed = wanted.missing_from(budget).total();
  for (const ModelId id : notice.names) {
    const core::ModelView view = scheduler_->view(id);
    if (view.reserved.total() > relief.largest_bytes) {
      relief.largest_bytes = view.reserved.total();
      relief.largest_in_use = view.name;
    }
  }
  spdlog::warn("{}", relief_line(config_->log.language, relief));
}

}  // namespace hf::engine
