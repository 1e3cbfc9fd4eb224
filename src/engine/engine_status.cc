// What the engine shows and records of itself: status, journal lines, remembered decisions.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "engine/abilities.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

// Enough for `explain` to tell the story of the last minutes on a busy box.
constexpr std::size_t kRememberedMax = 4096;
constexpr std::size_t kShownMax = 20;

std::string kind_name(ModelKind kind) {
  switch (kind) {
    case ModelKind::Chat:
      return "chat";
    case ModelKind::Embedding:
      return "embedding";
    case ModelKind::Reranker:
      return "reranker";
    case ModelKind::Command:
      return "command";
  }
  return {};
}

}  // namespace

Status Engine::Impl::status() {
  scheduler_->tell_time(now());
  Status status;
  status.memory = scheduler_->memory();
  status.machine = signals_;
  status.stall_source = stall_source();
  status.full_budget = yielding_.full();
  status.domains = card_domains(gpu_.get());
  DomainStatus host{"host", Bytes(0), Bytes(0)};
  if (signals_) {
    const readers::MachineMemory& machine = signals_->snapshot.machine;
    host.total = machine.total;
    host.used = std::max(Bytes(0), machine.total - machine.available);
  }
  status.domains.insert(status.domains.begin(), std::move(host));
  status.draining = scheduler_->shutting_down();
  status.uptime = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - started_);
  status.engine_version = traits_.version;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    ModelStatus model = model_status(ModelId(i));
    const bool has_child = model.view.reserved != core::Footprint{};
    if (model.view.listed || has_child) {
      status.models.push_back(std::move(model));
    }
  }
  std::sort(status.models.begin(), status.models.end(),
            [](const ModelStatus& a, const ModelStatus& b) { return a.view.name < b.view.name; });
  for (core::WaitView& wait : scheduler_->waiting()) {
    WaitStatus waiting;
    waiting.model = catalog_.name(wait.model);
    waiting.blockers = names_of(wait.blockers);
    waiting.view = std::move(wait);
    status.waiting.push_back(std::move(waiting));
  }
  add_users(status);
  judge(status);
  return status;
}

// Whether all is well, and what is not.
void Engine::Impl::judge(Status& status) const {
  if (scheduler_->overdue()) {
    status.overall = Overall::Full;
    const bool waits_too_long =
        std::any_of(status.waiting.begin(), status.waiting.end(),
                    [](const WaitStatus& wait) { return wait.view.bound == Duration::zero(); });
    for (const WaitStatus& wait : status.waiting) {
      if (wait.view.requests >= config_->queue.max_waiting) {
        status.warnings.push_back("the queue of " + wait.model + " is full (" +
                                  std::to_string(wait.view.requests) + " requests wait)");
      }
    }
    if (waits_too_long || status.warnings.empty()) {
      status.warnings.push_back("somebody waits beyond the stated bound");
    }
  } else {
    if (status.memory.level != core::PressureLevel::Normal) {
      status.warnings.push_back(std::string(status.memory.by_stall
                                                ? "tasks stand still for want of memory (PSI)"
                                                : "memory is under pressure") +
                                ": nothing is loaded until it eases");
    }
    if (scheduler_->all_in_use()) {
      status.warnings.push_back("all models are in use or pinned while others wait");
    }
    if (memory_failures_ >= kBlindReadings) {
      status.warnings.push_back("memory cannot be read: pressure is not watched");
    }
    for (std::string& warning : card_warnings(gpu_.get())) {
      status.warnings.push_back(std::move(warning));
    }
    for (const ModelStatus& model : status.models) {
      if (!model.pin_problem.empty()) {
        status.warnings.push_back(model.view.name + " " + model.pin_problem);
      }
    }
    if (status.draining) {
      status.warnings.push_back("the server is shutting down");
    }
    status.overall = status.warnings.empty() ? Overall::Ok : Overall::Degraded;
  }
}

ModelStatus Engine::Impl::model_status(ModelId id) const {
  const ModelFile& file = catalog_.at(id).file;
  ModelStatus model;
  model.id = id;
  model.view = scheduler_->view(id);
  model.aliases = file.source.settings.aliases;
  model.kind = file.problem.empty() ? kind_name(file.plan.kind) : "";
  model.abilities = engine::names_of(engine::abilities_of(file));
  model.architecture = file.architecture;
  model.context = file.plan.context;
  model.trained_context = file.trained_context;
  model.parallel = file.plan.parallel;
  model.file_size = file.file_size;
  model.created_unix_s = file.modified_unix_s;
  model.problem = file.problem;
  if (const auto refused = scheduler_->refusal_at_once(id)) {
    model.refusal = refusal_of(id, refused->reason, refused->retry_after);
  }
  if (const auto failed = failed_.find(id); failed != failed_.end()) {
    const FailedAttempt& attempt = failed->second;
    model.last_failure = {now() - attempt.at, attempt.cause, attempt.in_a_row,
                          attempt.kind == FailedAttempt::Kind::File};
  }
  model.pin_problem = pin_problem(id);
  if (const auto costs = costs_.find(id); costs != costs_.end()) {
    model.costs = costs->second;
  }
  if (const auto running = running_.find(id); running != running_.end()) {
    model.pid = running->second.pid;
    model.load_progress = running->second.progress;
  }
  return model;
}

// A predicate of the model's name: "cannot be pinned: …".
std::string Engine::Impl::pin_problem(ModelId model) const {
  const Catalog::Entry& entry = catalog_.at(model);
  const core::State state = scheduler_->view(model).state;
  if (!entry.listed || state == core::State::Ready || state == core::State::Gated) {
    return {};
  }
  const std::string& problem = entry.file.problem;
  if (!problem.empty() && entry.file.source.settings.pin) {
    return "is pinned but not loaded: " + problem + "; it is tried again when its file changes";
  }
  const auto wish = pins_wanted_.find(model);
  if (wish == pins_wanted_.end() || wish->second.problem.empty()) {
    return {};
  }
  return (wish->second.pinned ? "is pinned but not loaded: " : "cannot be pinned: ") +
         wish->second.problem + "; it is tried again";
}

std::vector<Decision> Engine::Impl::decisions_about(ModelId model) const {
  std::vector<Decision> decisions;
  for (auto it = remembered_.rbegin(); it != remembered_.rend() && decisions.size() < kShownMax;
       ++it) {
    if (it->model == model) {
      decisions.push_back({millis_of(now() - it->at), it->event, it->reason_code, it->text});
    }
  }
  return decisions;
}

void Engine::Impl::remember(ModelId model, std::string_view event, const core::Reason& reason) {
  if (remembered_.size() >= kRememberedMax) {
    remembered_.pop_front();
  }
  remembered_.push_back(
      {now(), model, std::string(event), std::string(core::name_of(reason.why)), explain(reason)});
}

std::string Engine::Impl::explain(const core::Reason& reason) const {
  return core::describe(reason, reason.for_model ? catalog_.name(*reason.for_model) : "");
}

std::vector<std::string> Engine::Impl::names_of(const std::vector<ModelId>& ids) const {
  std::vector<std::string> names;
  names.reserve(ids.size());
  for (const ModelId id : ids) {
    names.push_back(catalog_.name(id));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::int64_t Engine::Impl::monotonic_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

store::JournalLine Engine::Impl::journal_line(std::string_view event, ModelId model) {
  store::JournalLine line(monotonic_ms(), event);
  line.model(catalog_.name(model));
  return line;
}

// One event of the core may grant several tickets: the journal counts them one by one.
int& Engine::Impl::leases_of(ModelId model, Generation generation) {
  const auto found = running_.find(model);
  if (found != running_.end() && found->second.generation == generation) {
    return found->second.leases;
  }
  no_leases_ = 0;
  return no_leases_;
}

void Engine::Impl::write(const store::JournalLine& line) {
  if (!journal_) {
    return;
  }
  if (const auto error = journal_->append(line.str())) {
    spdlog::error("journal: {}", error->message);
  }
}

// An emergency cleanup writes its own line when it runs, whoever asked for it.
// An emergency cleanup by hand is told by the core's notice, as that of pressure is.
void Engine::Impl::note_cleanup(core::CleanupLevel level, const std::string& who) {
  const bool normal = level == core::CleanupLevel::Normal;
  store::JournalLine command(monotonic_ms(), "command");
  write(command.text("verb", normal ? "cleanup" : "emergency_cleanup").text("who", who));
  if (normal) {
    store::JournalLine line(monotonic_ms(), "cleanup");
    write(line.text("level", "normal"));
  }
}

void Engine::Impl::note_command(std::string_view verb, ModelId model, const std::string& who,
                                bool force) {
  write(journal_line("command", model).text("verb", verb).text("who", who));
  if (force) {
    spdlog::warn("{} of {} was forced by {}", verb, catalog_.name(model), who);
  }
}

}  // namespace hf::engine
