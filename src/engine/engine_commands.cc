// Models of kind command: what is different about their children, which may be several processes
// each and tell nothing of themselves.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <string_view>
#include <utility>

#include "base/lower.h"
#include "base/units.h"
#include "engine/impl.h"
#include "engine/reload_time.h"
#include "process/loopback_port.h"
#include "process/memory_signs.h"
#include "readers/port_listener.h"

namespace hf::engine {
namespace {

// Nothing keeps a port free until the child binds it. Losing that race so often in a row is no
// race.
constexpr int kMostPorts = 3;

// Nobody told which files a command reads: all its loads are averaged as one kind.
constexpr double kUnknownShare = 1;

// What servers say whose port somebody else has: libc, Python, Node, Rust and Go.
bool says_port_taken(std::string_view text) {
  constexpr auto kPhrases = std::to_array<std::string_view>(
      {"address already in use", "eaddrinuse", "addrinuse", "couldn't bind", "could not bind",
       "failed to bind", "cannot bind", "unable to bind"});
  const std::string folded = lower(text);
  return std::any_of(kPhrases.begin(), kPhrases.end(), [&folded](std::string_view phrase) {
    return folded.find(phrase) != std::string::npos;
  });
}

// Nothing keeps the port free until the command listens on it, which takes some of them a minute:
// what answers there before may be anybody, and must not get prompts.
std::function<bool(int pid)> own_listener(std::string name, std::uint16_t port) {
  return [name = std::move(name), port, warned = false](int pid) mutable {
    const bool other = readers::listener_of(pid, port) == readers::Listener::Other;
    if (other && !std::exchange(warned, true)) {
      spdlog::warn("port {} of {} answers, but no process of its own listens there", port, name);
    }
    return !other;
  };
}

// Of no stranger who was given the number of a supervisor that has just ended.
void score_tree(int supervisor, int score) {
  const std::vector<int> tree = readers::process_tree(supervisor);
  if (readers::parent_of(supervisor) != getpid()) {
    return;
  }
  for (const int pid : tree) {
    // The supervisor itself keeps the server's score: it must be the last to go.
    if (pid != supervisor) {
      (void)process::set_oom_score(pid, score);
    }
  }
}

}  // namespace

process::ChildSpec Engine::Impl::command_spec(const ModelFile& file, Running& running) const {
  const CommandPlan& plan = *file.plan.command;
  process::ChildSpec spec;
  spec.engine = plan.program;
  spec.supervised = true;
  spec.readiness = {plan.ready, true};
  Placeholders values{running.socket_path, 0, file.plan.model_path, file.plan.name};
  running.tree.clear();
  running.port = 0;
  if (plan.on_port()) {
    ++running.ports_tried;
    running.socket_path.clear();
    if (const auto port = process::free_loopback_port()) {
      running.port = values.port = *port;
      spec.readiness.is_own = own_listener(file.plan.name, *port);
    } else {
      spdlog::error("{} cannot be started: {}", file.plan.name, port.error().message);
      spec.engine.clear();  // reported as a spawn that failed
    }
  }
  spec.arguments = filled_in(plan.arguments, values);
  spec.environment = command_environment(plan, own_variables(), values);
  return spec;
}

// It ended because somebody took its port meanwhile: once more with another one, in the same
// generation, so that nobody who waits hears of it.
bool Engine::Impl::again_on_another_port(ModelId model, Generation generation,
                                         const process::ChildExit& exit) {
  const auto found = running_.find(model);
  if (found == running_.end() || found->second.generation != generation) {
    return false;
  }
  Running& running = found->second;
  const bool by_itself = exit.kind == process::ExitKind::Exited && !exit.asked_to_stop &&
                         !exit.load_timed_out && !exit.was_ready;
  if (!running.is_command() || running.port == 0 || running.ports_tried >= kMostPorts ||
      !by_itself || !says_port_taken(exit.log_tail) ||
      scheduler_->view(model).state != core::State::Loading ||
      !catalog_.at(model).file.plan.command) {
    return false;
  }
  spdlog::warn("port {} was taken before {} could listen on it; it is started again on another one",
               running.port, catalog_.name(model));
  spawn_child(model, running, running.reserved);
  write(journal_line("respawn", model)
            .generation(generation.value)
            .pid(running.pid)
            .text("why", "port_taken"));
  set_oom_score(model);
  return true;
}

// All of /proc is looked through, so on the worker.
void Engine::Impl::measure_command(ModelId model) {
  Running& running = running_.at(model);
  running.measuring = true;
  worker_.run([this, model, generation = running.generation, pid = running.pid,
               without = config_->memory.without, alive = alive_] {
    const auto memory = attempt([&] { return readers::read_tree_memory(pid, "/proc", without); });
    boost::asio::post(io_, [this, model, generation, pid, memory, alive] {
      const auto found = *alive ? running_.find(model) : running_.end();
      if (!*alive || found == running_.end() || found->second.generation != generation) {
        return;
      }
      found->second.measuring = false;
      if (memory && *memory && found->second.pid == pid) {
        take_tree_reading(model, found->second, **memory);
      }
    });
  });
}

// What it declares stays what its next generation is charged; what it holds beyond is debt of this
// one, as with any child.
void Engine::Impl::take_tree_reading(ModelId model, Running& running,
                                     const readers::TreeMemory& memory) {
  running.tree = memory.pids;
  running.mark = std::max(running.mark, memory.resident);
  if (memory.resident <= running.high_water) {
    return;
  }
  running.high_water = memory.resident;
  const Bytes declared = running.source.settings.bytes.value_or(Bytes(0));
  if (memory.resident > declared && !std::exchange(running.beyond_declared, true)) {
    spdlog::warn("{} holds {}, and declares {}: set its `bytes` higher", catalog_.name(model),
                 format_bytes(memory.resident), format_bytes(declared));
  }
  feed(core::event::Measured{model, running.generation, core::Footprint::host(memory.resident)});
}

// All of /proc is looked through, so on the worker; one look at a time, however often it is busy
// and idle meanwhile.
void Engine::Impl::set_oom_score_of_tree(ModelId model, Running& running) {
  if (std::exchange(running.scoring, true)) {
    return;
  }
  const int score = running.oom_score;
  worker_.run([this, model, generation = running.generation, supervisor = running.pid, score,
               alive = alive_] {
    attempt([supervisor, score] {
      score_tree(supervisor, score);
      return true;
    });
    boost::asio::post(io_, [this, model, generation, score, alive] {
      const auto found = *alive ? running_.find(model) : running_.end();
      if (!*alive || found == running_.end() || found->second.generation != generation) {
        return;
      }
      found->second.scoring = false;
      if (found->second.oom_score != score && found->second.pid != 0) {
        set_oom_score_of_tree(model, found->second);
      }
    });
  });
}

// Commands log no speeds: how long their whole answers take is all there is. Kept as answers a
// second in the place of tokens a second, with the same care for a single odd one.
void Engine::Impl::learn_answer(const Held& held) {
  const auto running = running_.find(held.model);
  if (running == running_.end() || running->second.generation != held.generation ||
      !running->second.is_command()) {
    return;
  }
  const double seconds = std::max(1e-3, seconds_of(now() - held.granted));
  const store::MeasurementKey& key = running->second.key;
  store::SlowestRate& rate = speeds_[key].decode;
  const auto before = rate.value();
  rate.add(1 / seconds);
  store::Measurement& measurement = measurements_[key];
  if (measurement.slowest_decode != rate.to_remember()) {
    measurement.slowest_decode = rate.to_remember();
    save_measurement(key);
  }
  if (rate.value() != before) {
    tune(held.model);
  }
}

ModelCosts Engine::Impl::costs_of_command(const ModelFile& file) const {
  ModelCosts costs;
  const store::MeasurementKey key = measurement_key(file);
  store::Measurement measurement;
  if (const auto known = measurements_.find(key); known != measurements_.end()) {
    measurement = known->second;
  }
  if (measurement.load_seconds_cached) {
    costs.load_cached = duration_of_seconds(*measurement.load_seconds_cached);
  }
  // Until it was seen, as if it read from the disk what it declares to hold.
  const Bytes bytes = file.plan.command->declared.total();
  const LoadTimes times = load_times(measurement, bytes);
  costs.reload = reload_time(times, measurement.load_seconds_cached ? kUnknownShare : 0);
  costs.longest_answer = file.source.settings.longest_answer;
  if (const auto rate = known_speeds(speeds_, key).decode) {
    const Duration seen = duration_of_seconds(1 / *rate);
    costs.longest_answer_measured = seen > *costs.longest_answer;
    costs.longest_answer = std::max(*costs.longest_answer, seen);
  }
  return costs;
}

// A server of commands alone needs no llama-server; models that do cannot be served without it.
void Engine::Impl::without_engine(ModelFile& file) const {
  if (traits_.path.empty() && !file.plan.command && file.problem.empty()) {
    file.problem = "there is no llama-server to run it";
    file.next_step = "holdfast doctor says where it is looked for; then restart the server";
    file.detail = "no llama-server was found at the start";
  }
}

}  // namespace hf::engine
