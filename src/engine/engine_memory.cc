// What children hold: read, remembered, and charged to their next generation.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "base/units.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

// A mark that moved by less is not worth a row in the history.
constexpr Bytes kLeastNews(256 * 1024);

}  // namespace

// What the child held at most is what its next generation is charged (charge_for).
void Engine::Impl::learn_memory(ModelId model, const Running& running) {
  store::Measurement& measurement = measurements_[running.key];
  const bool complete = running.exercise.complete() && !measurement.fully_exercised;
  if (running.mark < measurement.high_water + kLeastNews && !complete) {
    return;
  }
  store::add_high_water(measurement, running.mark);
  measurement.fully_exercised = measurement.fully_exercised || complete;
  save_measurement(running.key);
  const ModelFile& file = catalog_.at(model).file;
  if (complete) {
    spdlog::info("{} was used to the full: it holds {} at most, {} were predicted",
                 catalog_.name(model), format_bytes(measurement.high_water),
                 format_bytes(file.cost));
  }
  if (running.key == measurement_key(file)) {
    feed_footprint(model);
  }
}

// What the core raised must outlive what it is told next of older measurements.
void Engine::Impl::note_raise(const core::event::LoadFailed& failed) {
  const auto running = running_.find(failed.model);
  if (failed.failure == core::LoadFailure::OutOfMemory && running != running_.end() &&
      running->second.generation == failed.generation &&
      running->second.key == measurement_key(catalog_.at(failed.model).file)) {
    raises_.note(failed.model, running->second.key, scheduler_->view(failed.model).estimate);
  }
}

// At the end of a generation that served: only now its mark is whole.
void Engine::Impl::settle_raise(ModelId model, const Running& running) {
  core::Footprint seen = running.cards_seen;
  seen.in[core::kHostRam] = running.mark;
  if (raises_.settle(model, running.key, seen)) {
    tell_footprint(model);
  }
}

// A pin leaves less that they may take.
void Engine::Impl::tell_raised() {
  for (const ModelId model : raises_.raised()) {
    tell_footprint(model);
  }
}

void Engine::Impl::measure_children() {
  for (const auto& [model, running] : running_) {
    measure_child(model);
  }
}

// smaps can take milliseconds, so on the worker.
void Engine::Impl::measure_child(ModelId model) {
  const auto running = running_.find(model);
  if (running == running_.end() || running->second.pid == 0 || running->second.measuring) {
    return;
  }
  if (running->second.is_command()) {
    return measure_command(model);
  }
  running->second.measuring = true;
  const Generation generation = running->second.generation;
  worker_.run([this, model, generation, pid = running->second.pid,
               without = config_->memory.without, alive = alive_] {
    const auto memory =
        attempt([&] { return readers::read_process_memory(pid, "/proc", without); });
    boost::asio::post(io_, [this, model, generation, memory, alive] {
      const auto found = *alive ? running_.find(model) : running_.end();
      if (!*alive || found == running_.end() || found->second.generation != generation) {
        return;
      }
      found->second.measuring = false;
      if (memory && *memory) {
        take_reading(model, found->second, **memory);
      }
    });
  });
}

void Engine::Impl::take_reading(ModelId model, Running& running,
                                const readers::ProcessMemory& memory) {
  const Bytes pss = memory.pss_file.value_or(memory.rss_file);
  const Bytes weights = std::min(memory.rss_file, catalog_.at(model).file.mapped);
  running.shared = memory.rss_file - std::max(pss, weights);
  // While it loads, the mark holds what the load needs, too: of that only the present counts.
  const bool ready = running.child && running.child->ready();
  const Bytes seen = ready ? memory.peak() : memory.resident();
  running.mark = std::max(running.mark, memory.resident() + memory.rss_file - pss - running.shared);
  if (ready) {
    running.mark = std::max(running.mark, memory.high_water - running.shared);
  }
  if (seen > running.high_water) {
    running.high_water = seen;
    feed(core::event::Measured{model, running.generation, core::Footprint::host(seen)});
  }
  // Between answers only: the figures of a child that computes are not final.
  if (running.leases == 0) {
    learn_memory(model, running);
  }
}

// Just before it is told to stop: what a short peak took since the last sample. The small file is
// read at once; what is shared is taken to be what it was.
void Engine::Impl::read_last_mark(Running& running) {
  if (running.pid == 0 || running.mark.count == 0 || running.is_command()) {
    return;
  }
  if (const auto memory = readers::read_process_status(running.pid)) {
    running.mark = std::max(running.mark, memory->high_water - running.shared);
  }
}

void Engine::Impl::note_use(ModelId model, Generation generation, const std::string& line) {
  const auto running = running_.find(model);
  if (running != running_.end() && running->second.generation == generation) {
    running->second.exercise.read(line);
  }
}

}  // namespace hf::engine
