// Other programs take memory after the start: a computed budget yields to them, and grows back.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/units.h"
#include "engine/impl.h"
#include "readers/process_memory.h"
#include "readers/snapshot.h"

namespace hf::engine {
namespace {

struct Child {
  int pid = 0;
  bool locks_its_file = false;

  bool operator==(const Child&) const = default;
};

// What the readings count as used of one child: not the pages of its mapped files, which
// MemAvailable and a cgroup's working set take for free memory, unless they are locked.
std::optional<Bytes> counted_as_used(const Child& child) {
  const auto memory = readers::read_process_status(child.pid);
  if (!memory) {
    return std::nullopt;
  }
  return memory->rss_anon + memory->rss_shmem +
         (child.locks_its_file ? memory->rss_file : Bytes(0));
}

// Nullopt if the machine cannot be read or a child has just ended: then the sample says nothing.
std::optional<readers::MachineMemory> read_others(const config::MemoryConfig& memory,
                                                  const std::vector<Child>& children,
                                                  TimePoint now) {
  const auto snapshot = readers::read_snapshot(memory.proc_root, memory.without, now);
  if (!snapshot) {
    return std::nullopt;
  }
  Bytes ours;
  for (const Child& child : children) {
    const auto used = counted_as_used(child);
    if (!used) {
      return std::nullopt;
    }
    ours += *used;
  }
  return without(snapshot->machine, ours);
}

template <class Running>
std::vector<Child> children_of(const Running& running) {
  std::vector<Child> children;
  for (const auto& [model, one] : running) {
    const config::LoadMode mode = one.source.settings.load_mode;
    const bool locks = mode == config::LoadMode::Mlock || mode == config::LoadMode::MmapMlock;
    children.push_back({one.pid, locks});
  }
  return children;
}

}  // namespace

void Engine::Impl::watch_others() {
  if (config_->memory.budget || stopped_) {
    return;  // somebody's decision
  }
  const std::vector<Child> children = children_of(running_);
  worker_.run([this, children, memory = config_->memory, asked = now(), alive = alive_] {
    const auto read = attempt([&] { return read_others(memory, children, asked); });
    boost::asio::post(io_, [this, children, read, alive] {
      const bool told = *alive && read && *read && !config_->memory.budget;
      if (told && children == children_of(running_)) {
        yield_to_others(**read);
      }
    });
  });
}

void Engine::Impl::yield_to_others(const readers::MachineMemory& others) {
  const readers::BudgetTerms terms = readers::default_budget(others, config_->memory.high);
  const Bytes before = yielding_.current();
  const Bytes least = least_budget();
  if (!yielding_.take(terms.budget, least)) {
    return;
  }
  const Bytes now = yielding_.current();
  std::string text = "budget: " + format_bytes(now);
  if (now == yielding_.full()) {
    text += " again: others use " + format_bytes(terms.others);
  } else {
    text +=
        " for now instead of " + format_bytes(yielding_.full()) + ": " + readers::arithmetic(terms);
    if (now > terms.budget) {  // two samples must agree; the less it yields by counts
      text += now <= least ? ", but what the largest model needs" : ", and still falling";
    }
  }
  spdlog::log(now < before ? spdlog::level::warn : spdlog::level::info, "{}", text);
  store::JournalLine line(monotonic_ms(), "budget");
  write(line.number("bytes", now.count).reason(text));
  feed(core::event::LimitsChanged{limits_of(*config_)});
}

// `but`: not this one; the core need not know it yet.
Bytes Engine::Impl::pinned_bytes(std::optional<ModelId> but) const {
  Bytes pinned;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    if (but == ModelId(i)) {
      continue;
    }
    const core::ModelView view = scheduler_->view(ModelId(i));
    if (view.pinned) {
      pinned += std::max(view.reserved.in[core::kHostRam], view.estimate.in[core::kHostRam]);
    }
  }
  return pinned;
}

// So much that every model which fits the full budget beside what is pinned still does. `unpinned`:
// a pin that is about to go.
Bytes Engine::Impl::least_budget(std::optional<ModelId> unpinned) const {
  const Bytes pinned = pinned_bytes(unpinned);
  Bytes largest;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const core::ModelView view = scheduler_->view(ModelId(i));
    const Bytes need = view.estimate.in[core::kHostRam];
    const bool pinned_still = view.pinned && unpinned != ModelId(i);
    if (view.listed && !view.broken && !pinned_still && pinned + need <= yielding_.full()) {
      largest = std::max(largest, need);
    }
  }
  return pinned + largest;
}

// What is judged against the budget for good must not be judged against what a neighbour left of
// it: the budget rises before the event comes.
void Engine::Impl::make_room_for(const core::Event& event) {
  if (yielding_.current() == yielding_.full()) {
    return;
  }
  Bytes least;
  if (const auto* added = std::get_if<core::event::ModelAdded>(&event)) {
    least = pinned_bytes(added->model) + added->spec.footprint.in[core::kHostRam];
  } else if (const auto* tuned = std::get_if<core::event::SpecTuned>(&event)) {
    least = tuned->footprint ? pinned_bytes() + tuned->footprint->in[core::kHostRam] : Bytes(0);
  } else if (const auto* pin = std::get_if<core::event::Pin>(&event)) {
    const core::ModelView view = scheduler_->view(pin->model);
    least = pin->pinned ? least_budget() + view.estimate.in[core::kHostRam]
                        : least_budget(pin->model);  // others fit now that did not beside it
  } else if (const auto* unload = std::get_if<core::event::Unload>(&event)) {
    least = least_budget(unload->model);  // takes its pin away, too
  } else if (const auto* removed = std::get_if<core::event::ModelRemoved>(&event)) {
    least = least_budget(removed->model);
  }
  if (yielding_.raise(least)) {
    spdlog::info("budget: {} for now, because a model needs it", format_bytes(yielding_.current()));
    events_.emplace_back(core::event::LimitsChanged{limits_of(*config_)});
  }
}

}  // namespace hf::engine
