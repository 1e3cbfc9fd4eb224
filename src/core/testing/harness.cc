#include "core/testing/harness.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace hf::core::testing {
namespace {

std::string why(const Reason& reason) {
  return " " + std::string(name_of(reason.why));
}

}  // namespace

Limits limits(Bytes budget) {
  Limits limits;
  limits.budget = Footprint::host(budget);
  limits.patience = std::chrono::seconds(30);
  limits.turn = std::chrono::seconds(30);
  return limits;
}

ModelSpec spec(std::string name, Bytes size) {
  ModelSpec spec;
  spec.name = std::move(name);
  spec.footprint = Footprint::host(size);
  spec.slots = 1;
  return spec;
}

ModelId Harness::id(const std::string& model) const {
  const auto at = std::find(models_.begin(), models_.end(), model);
  HF_ASSERT(at != models_.end(), "the test names a model it added");
  return ModelId(static_cast<std::uint32_t>(at - models_.begin()));
}

TicketId Harness::ticket(const std::string& name) const {
  const auto at = std::find(tickets_.begin(), tickets_.end(), name);
  HF_ASSERT(at != tickets_.end(), "the test names a ticket that arrived");
  return TicketId(static_cast<std::uint64_t>(at - tickets_.begin()));
}

TicketId Harness::new_ticket(const std::string& name) {
  tickets_.push_back(name);
  return TicketId(tickets_.size() - 1);
}

std::optional<Duration> Harness::bound(const std::string& name) {
  scheduler_.tell_time(now_);
  const auto deadline = scheduler_.deadline_of(ticket(name));
  return deadline ? std::optional(*deadline - now_) : std::nullopt;
}

Texts Harness::handle(const Event& event) {
  scheduler_.handle(event, now_);
  scheduler_.check_invariants();
  Texts texts;
  while (auto action = scheduler_.poll_action()) {
    texts.push_back(text_of(*action));
    actions_.push_back(std::move(*action));
  }
  return texts;
}

Texts Harness::advance(Duration by) {
  const TimePoint end = now_ + by;
  Texts texts;
  for (auto next = scheduler_.next_deadline(); next && *next <= end;
       next = scheduler_.next_deadline()) {
    now_ = *next;
    for (std::string& text : handle(event::Wake{})) {
      texts.push_back(std::move(text));
    }
  }
  now_ = end;
  return texts;
}

Texts Harness::model(const std::string& name, Bytes size, int slots) {
  ModelSpec wanted = spec(name, size);
  wanted.slots = slots;
  return model(wanted);
}

Texts Harness::model(const ModelSpec& wanted, bool restart) {
  event::ModelAdded added;
  const auto known = std::find(models_.begin(), models_.end(), wanted.name);
  added.model = ModelId(static_cast<std::uint32_t>(known - models_.begin()));
  added.spec = wanted;
  added.restart = restart;
  if (known == models_.end()) {
    models_.push_back(wanted.name);
  }
  return handle(added);
}

Texts Harness::arrive(const std::string& name, const std::string& model, std::uint32_t user) {
  return handle(event::Arrived{new_ticket(name), id(model), UserId(user), TicketKind::Request});
}

Texts Harness::load(const std::string& name, const std::string& model) {
  return handle(event::Arrived{new_ticket(name), id(model), UserId(0), TicketKind::Load});
}

Texts Harness::end(const std::string& name) {
  return handle(event::Ended{ticket(name), EndKind::Done});
}
Texts Harness::cancel(const std::string& name) {
  return handle(event::Ended{ticket(name), EndKind::ClientGone});
}
Texts Harness::open_ended(const std::string& name) {
  return handle(event::OpenEnded{ticket(name)});
}
Texts Harness::stall(const std::string& name) {
  return handle(event::ReaderStalled{ticket(name)});
}
Texts Harness::resume(const std::string& name) {
  return handle(event::ReaderResumed{ticket(name)});
}
Texts Harness::ready(const std::string& model) {
  return handle(event::LoadReady{id(model), view(model).generation});
}
Texts Harness::fail(const std::string& model, LoadFailure failure) {
  return handle(event::LoadFailed{id(model), view(model).generation, failure});
}
Texts Harness::exit(const std::string& model) {
  return handle(event::Exited{id(model), view(model).generation});
}
Texts Harness::measured(const std::string& model, Bytes in_use) {
  return handle(event::Measured{id(model), view(model).generation, Footprint::host(in_use)});
}
Texts Harness::reading(double percent, bool stalled) {
  return handle(event::MemoryReading{percent, stalled});
}
Texts Harness::cleanup(CleanupLevel level) {
  return handle(event::Cleanup{++commands_, level});
}
Texts Harness::unload(const std::string& model, UnloadMode mode) {
  return handle(event::Unload{++commands_, id(model), mode});
}
Texts Harness::pin(const std::string& model, bool pinned) {
  return handle(event::Pin{++commands_, id(model), pinned});
}

void Harness::make_ready(const std::string& model) {
  const std::string name = "for " + model;
  arrive(name, model);
  ready(model);
  end(name);
  HF_ASSERT(state(model) == State::Ready, "there is room for it");
}

std::string Harness::list(const std::vector<ModelId>& models) const {
  std::string text = "[";
  for (const ModelId model : models) {
    text += (text.size() > 1 ? " " : "") + models_[model.value];
  }
  return text + "]";
}

std::string Harness::text_of(const Action& action) const {
  if (const auto* start = std::get_if<action::StartLoad>(&action)) {
    return "start " + models_[start->model.value] + why(start->reason);
  }
  if (const auto* stop = std::get_if<action::StopChild>(&action)) {
    return (stop->kill ? "kill " : "stop ") + models_[stop->model.value] + why(stop->reason);
  }
  if (const auto* grant = std::get_if<action::Grant>(&action)) {
    return "grant " + tickets_[grant->ticket.value];
  }
  if (const auto* refuse = std::get_if<action::Refuse>(&action)) {
    return "refuse " + tickets_[refuse->ticket.value] + why(refuse->reason);
  }
  if (const auto* cut = std::get_if<action::CutLease>(&action)) {
    return "cut " + tickets_[cut->ticket.value] + why(cut->reason);
  }
  if (const auto* gate = std::get_if<action::GateMoved>(&action)) {
    const std::string& name = models_[gate->model.value];
    return gate->shut ? "shut " + name + why(gate->reason) : "open " + name;
  }
  if (const auto* notice = std::get_if<action::Notice>(&action)) {
    std::string text = "notice " + std::string(name_of(notice->kind));
    text += notice->names.empty() ? "" : " " + list(notice->names);
    text += notice->protected_names.empty() ? "" : " " + list(notice->protected_names);
    return text + (notice->pinned_names.empty() ? "" : " pinned " + list(notice->pinned_names));
  }
  if (const auto* answer = std::get_if<action::Answer>(&action)) {
    return "answer " + std::string(name_of(answer->code));
  }
  return "finished";
}

}  // namespace hf::core::testing
