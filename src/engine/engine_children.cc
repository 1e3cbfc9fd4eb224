// The life of the children: spawn, ready, measured, gone.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/assert.h"
#include "base/units.h"
#include "engine/impl.h"
#include "process/memory_signs.h"

namespace hf::engine {
namespace {

constexpr std::chrono::milliseconds kStopDeadline{10000};

std::string last_words(const Running& running, const process::ChildExit& exit) {
  const config::ModelConfig& settings = running.source.settings;
  return SecretWords(settings.command, settings.env).hidden_in(exit.log_tail);
}

}  // namespace

void Engine::Impl::perform(const core::action::StartLoad& a) {
  const ModelFile& file = catalog_.at(a.model).file;
  HF_ASSERT(!file.plan.model_path.empty() || file.plan.command,
            "a model without a usable file is never loaded");
  Running running;
  running.exercise = Exercise(file.plan);
  running.generation = a.generation;
  running.spawned = now();
  running.reserved = a.reserved;
  running.key = measurement_key(file);
  running.source = file.source;
  spawn_child(a.model, running, a.reserved);

  const ModelId model = a.model;
  const std::string& name = catalog_.name(model);
  write(journal_line("spawn", model)
            .generation(a.generation.value)
            .pid(running.pid)
            .leases(0)
            .number("bytes", a.reserved.total().count)
            .text("why", core::name_of(a.reason.why))
            .reason(explain(a.reason)));
  remember(model, "load", a.reason);
  spdlog::info("loading {} ({} reserved): {}", name, format_bytes(a.reserved.total()),
               explain(a.reason));
  running_[model] = std::move(running);
  note_cached_at_start(model, a.generation);
  set_oom_score(model);
}

// What a generation runs: with a new socket or port each time.
void Engine::Impl::spawn_child(ModelId model, Running& running, const core::Footprint& reserved) {
  const ModelFile& file = catalog_.at(model).file;
  running.socket_path = run_dir_->socket_path(model, running.generation);
  process::ChildSpec spec =
      file.plan.command ? command_spec(file, running) : stock_spec(file, running);
  spec.fence = fence_for(model, running.generation, reserved);
  spec.socket_path = running.socket_path;
  spec.port = running.port;
  spec.load_deadline = std::chrono::duration_cast<std::chrono::milliseconds>(load_deadline(file));
  spec.stop_deadline = kStopDeadline;
  running.child =
      process::Child::spawn(io_, std::move(spec), child_events(model, running.generation));
  running.pid = running.child->pid();
}

process::ChildSpec Engine::Impl::stock_spec(const ModelFile& file, const Running& running) const {
  process::ChildSpec spec;
  spec.engine = traits_.path;
  spec.arguments = command_line(file.plan, running.socket_path, traits_);
  const CardOrder order = has_cards() ? CardOrder::OfTheBus : CardOrder::AsItComes;
  spec.environment = child_environment(order, &file.plan);
  spec.prompts_only = file.plan.kind != ModelKind::Chat;
  return spec;
}

process::ChildEvents Engine::Impl::child_events(ModelId model, Generation generation) {
  process::ChildEvents events;
  events.on_progress = [this, model, generation, alive = alive_](double fraction) {
    const auto found = running_.find(model);
    if (*alive && found != running_.end() && found->second.generation == generation) {
      found->second.progress = fraction;
    }
  };
  events.on_ready = [this, model, generation, alive = alive_] {
    if (*alive) {
      child_ready(model, generation);
    }
  };
  events.on_exit = [this, model, generation, alive = alive_](const process::ChildExit& exit) {
    if (*alive) {
      child_ended(model, generation, exit);
    }
  };
  const config::ModelConfig& settings = catalog_.at(model).file.source.settings;
  if (settings.is_command()) {
    events.on_log = [name = settings.name, secrets = SecretWords(settings.command, settings.env)](
                        const std::string& line) {
      spdlog::debug("[{}] {}", name, secrets.hidden_in(line));
    };
    return events;
  }
  events.on_speed = [this, model, generation, alive = alive_](const process::Speed& speed) {
    if (*alive) {
      learn_speed(model, generation, speed);
    }
  };
  events.on_log = [this, name = catalog_.name(model), model, generation,
                   alive = alive_](const std::string& line) {
    spdlog::debug("[{}] {}", name, line);
    if (*alive) {
      note_use(model, generation, line);
    }
  };
  return events;
}

void Engine::Impl::child_ready(ModelId model, Generation generation) {
  const auto found = running_.find(model);
  if (found == running_.end() || found->second.generation != generation) {
    return;
  }
  const Duration took = now() - found->second.spawned;
  found->second.progress = 1;
  write(journal_line("ready", model)
            .generation(generation.value)
            .pid(found->second.pid)
            .leases(0)
            .number("load_ms", millis_of(took)));
  spdlog::info("{} is ready after {}", catalog_.name(model), format_duration(took));
  learn_load(model, found->second, took);
  note_load(model, took);
  feed(core::event::LoadReady{model, generation});
  set_oom_score(model);
}

void Engine::Impl::child_exited(ModelId model, Generation generation,
                                const process::ChildExit& exit) {
  const auto found = running_.find(model);
  if (found == running_.end() || found->second.generation != generation) {
    return;
  }
  const int pid = found->second.pid != 0 ? found->second.pid : found->second.reaped_pid;
  const bool expected = exit.asked_to_stop && !exit.load_timed_out;
  if (exit.was_ready) {
    learn_memory(model, found->second);
    learn_cards(model, found->second);
    if (expected) {
      settle_raise(model, found->second);
    }
  }
  if (found->second.stop_asked) {
    stops_[model] = now() - *found->second.stop_asked;
  }
  const bool was_loading = scheduler_->view(model).state == core::State::Loading;
  // Its leases are told of one by one while the core takes them away; then the record goes.
  found->second.child.reset();
  found->second.pid = 0;
  found->second.reaped_pid = 0;
  write(journal_line("exit", model)
            .generation(generation.value)
            .pid(pid)
            .number("code", exit.code)
            .text("kind", exit.kind == process::ExitKind::Signalled     ? "signalled"
                          : exit.kind == process::ExitKind::SpawnFailed ? "spawn_failed"
                                                                        : "exited"));
  remember(model, "exit", core::Reason{expected ? core::Why::Exited : core::Why::ChildDied});
  if (!expected) {
    spdlog::error("the engine of {} ended unexpectedly ({} {}){}; its last words:\n{}",
                  catalog_.name(model),
                  exit.kind == process::ExitKind::Signalled ? "signal" : "code", exit.code,
                  exit.load_timed_out ? " because it was not ready in time"
                  : exit.hit_fence    ? " because it ran into its fence"
                                      : "",
                  last_words(found->second, exit));
  }
  if (was_loading) {
    core::LoadFailure failure = core::LoadFailure::Crashed;
    if (exit.kind == process::ExitKind::SpawnFailed) {
      failure = core::LoadFailure::SpawnFailed;
    } else if (exit.load_timed_out) {
      failure = core::LoadFailure::TimedOut;
    } else if (exit.out_of_memory) {
      failure = core::LoadFailure::OutOfMemory;
    }
    // Before the event: those who are refused are told the cause.
    FailedAttempt attempt = failed_load(failure, exit, load_deadline(catalog_.at(model).file));
    if (found->second.is_command()) {
      attempt = of_command(std::move(attempt), failure, exit);
    }
    note_failed(model, std::move(attempt));
    feed(core::event::LoadFailed{model, generation, failure});
  } else {
    if (!expected) {
      note_failed(model, crash(exit));
    }
    feed(core::event::Exited{model, generation});
  }
  const auto left = running_.find(model);
  if (left != running_.end() && left->second.generation == generation) {
    running_.erase(left);
  }
}

void Engine::Impl::note_failed(ModelId model, FailedAttempt attempt) {
  attempt.at = now();
  const auto before = failed_.find(model);
  attempt.in_a_row = before == failed_.end() ? 1 : before->second.in_a_row + 1;
  failed_.insert_or_assign(model, std::move(attempt));
}

store::MeasurementKey Engine::Impl::measurement_key(const ModelFile& file) const {
  return {file_key(file), options_key(file.plan), file.plan.command ? "command" : traits_.version};
}

void Engine::Impl::save_measurement(const store::MeasurementKey& key) {
  if (!store_) {
    return;
  }
  worker_.run([store = store_, row = store::MeasurementRow{key, measurements_[key]}] {
    if (auto saved = store->save_measurement(row, wall_clock_ms()); !saved) {
      spdlog::warn("history: {}", saved.error().message);
    }
  });
}

void Engine::Impl::set_oom_score(ModelId model) {
  const auto found = running_.find(model);
  if (found == running_.end() || found->second.pid == 0) {
    return;
  }
  const core::ModelView view = scheduler_->view(model);
  const int score = view.state == core::State::Loading ? process::kOomScoreLoading
                    : view.leases > 0                  ? process::kOomScoreBusy
                                                       : process::kOomScoreIdle;
  if (score == found->second.oom_score) {
    return;  // most requests change nothing: no system call for them
  }
  found->second.oom_score = score;
  if (score == process::kOomScoreIdle) {
    measure_child(model);  // the end of a busy period
  }
  if (found->second.is_command()) {
    return set_oom_score_of_tree(model, found->second);
  }
  // Without the right to lower it again the score stays where it is: a preference, not a promise.
  (void)process::set_oom_score(found->second.pid, score);
}

}  // namespace hf::engine
