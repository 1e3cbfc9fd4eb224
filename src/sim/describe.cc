#include "sim/describe.h"

#include <string_view>

#include "base/units.h"
#include "core/reason.h"

namespace hf::sim {
namespace {

namespace event = core::event;
namespace action = core::action;

std::string_view text_of(core::LoadFailure failure) {
  switch (failure) {
    case core::LoadFailure::SpawnFailed:
      return "spawn";
    case core::LoadFailure::Crashed:
      return "crashed";
    case core::LoadFailure::OutOfMemory:
      return "oom";
    case core::LoadFailure::TimedOut:
      return "timeout";
    case core::LoadFailure::Broken:
      return "broken";
  }
  return "?";
}

std::string_view text_of(core::UnloadMode mode) {
  switch (mode) {
    case core::UnloadMode::IfIdle:
      return "if idle";
    case core::UnloadMode::Drain:
      return "drain";
    case core::UnloadMode::Force:
      return "force";
  }
  return "?";
}

std::string child_text(const Names& names, ModelId model, Generation generation) {
  return names.model(model) + " g" + std::to_string(generation.value);
}

std::string list_text(const Names& names, const std::vector<ModelId>& models) {
  std::string text = "[";
  for (const ModelId id : models) {
    text += (text.size() > 1 ? " " : "") + names.model(id);
  }
  return text + "]";
}

std::string reason_text(const Names& names, const core::Reason& reason) {
  const std::string whom = reason.for_model ? names.model(*reason.for_model) : std::string();
  return ": " + std::string(core::name_of(reason.why)) + ": " + core::describe(reason, whom);
}

struct EventWriter {
  const Names& names;

  std::string operator()(const event::ModelAdded& e) const {
    return "model " + names.model(e.model) + " " + describe(e.spec.footprint) +
           " slots=" + std::to_string(e.spec.slots) + (e.restart ? " restart" : "");
  }
  std::string operator()(const event::ModelBroken& e) const {
    return "broken " + names.model(e.model);
  }
  std::string operator()(const event::ModelRemoved& e) const {
    return "remove " + names.model(e.model);
  }
  std::string operator()(const event::SpecTuned& e) const {
    return "tune " + names.model(e.model) +
           (e.footprint ? " " + describe(*e.footprint) : std::string());
  }
  std::string operator()(const event::Arrived& e) const {
    return (e.kind == core::TicketKind::Load ? "load " : "arrive ") + names.ticket(e.ticket) + " " +
           names.model(e.model) + " user=" + std::to_string(e.user.value);
  }
  std::string operator()(const event::Ended& e) const {
    return (e.kind == core::EndKind::ClientGone ? "cancel " : "end ") + names.ticket(e.ticket);
  }
  std::string operator()(const event::OpenEnded& e) const {
    return "open-ended " + names.ticket(e.ticket);
  }
  std::string operator()(const event::ReaderStalled& e) const {
    return "stall " + names.ticket(e.ticket);
  }
  std::string operator()(const event::ReaderResumed& e) const {
    return "resume " + names.ticket(e.ticket);
  }
  std::string operator()(const event::LoadReady& e) const {
    return "ready " + child_text(names, e.model, e.generation);
  }
  std::string operator()(const event::LoadFailed& e) const {
    return "fail " + child_text(names, e.model, e.generation) + " " +
           std::string(text_of(e.failure));
  }
  std::string operator()(const event::Exited& e) const {
    return "exit " + child_text(names, e.model, e.generation);
  }
  std::string operator()(const event::Measured& e) const {
    return "measured " + child_text(names, e.model, e.generation) + " " + describe(e.in_use);
  }
  std::string operator()(const event::MemoryReading& e) const {
    return "reading " + format_percent(e.used_percent) + (e.stalled ? " stalled" : "");
  }
  std::string operator()(const event::Cleanup& e) const {
    return e.level == core::CleanupLevel::Normal ? "cleanup normal" : "cleanup emergency";
  }
  std::string operator()(const event::Unload& e) const {
    return "unload " + names.model(e.model) + " " + std::string(text_of(e.mode));
  }
  std::string operator()(const event::Pin& e) const {
    return (e.pinned ? "pin " : "unpin ") + names.model(e.model);
  }
  std::string operator()(const event::LimitsChanged& e) const {
    return "budget " + describe(e.limits.budget);
  }
  std::string operator()(const event::Preload& e) const {
    return "preload " + names.model(e.model);
  }
  std::string operator()(const event::Shutdown&) const { return "shutdown"; }
  std::string operator()(const event::Wake&) const { return "wake"; }
};

struct ActionWriter {
  const Names& names;

  std::string operator()(const action::Grant& a) const {
    return "grant " + names.ticket(a.ticket) + " on " + child_text(names, a.model, a.generation) +
           reason_text(names, a.reason);
  }
  std::string operator()(const action::Refuse& a) const {
    const std::string retry = a.retry_after > Duration::zero()
                                  ? " (retry after " + format_duration(a.retry_after) + ")"
                                  : std::string();
    return "refuse " + names.ticket(a.ticket) + reason_text(names, a.reason) + retry;
  }
  std::string operator()(const action::CutLease& a) const {
    return "cut " + names.ticket(a.ticket) + " on " + names.model(a.model) +
           reason_text(names, a.reason);
  }
  std::string operator()(const action::StartLoad& a) const {
    return "start " + child_text(names, a.model, a.generation) + " " + describe(a.reserved) +
           reason_text(names, a.reason);
  }
  std::string operator()(const action::StopChild& a) const {
    return (a.kill ? "kill " : "stop ") + child_text(names, a.model, a.generation) +
           reason_text(names, a.reason);
  }
  std::string operator()(const action::GateMoved& a) const {
    return (a.shut ? "gate shut " : "gate open ") + child_text(names, a.model, a.generation) +
           reason_text(names, a.reason);
  }
  std::string operator()(const action::Notice& a) const {
    std::string text = "notice " + std::string(name_of(a.kind));
    if (a.percent > 0) {
      text += " " + format_percent(a.percent);
    }
    if (!a.names.empty()) {
      text += " " + list_text(names, a.names);
    }
    if (!a.protected_names.empty()) {
      text += " protected " + list_text(names, a.protected_names);
    }
    if (!a.pinned_names.empty()) {
      text += " pinned " + list_text(names, a.pinned_names);
    }
    return a.lasted > Duration::zero() ? text + " for " + format_duration(a.lasted) : text;
  }
  std::string operator()(const action::Answer& a) const {
    std::string text = "answer " + std::string(name_of(a.code));
    const auto add = [&](const char* label, const std::vector<ModelId>& models) {
      if (!models.empty()) {
        text += std::string(" ") + label + " " + list_text(names, models);
      }
    };
    add("unloading", a.unloading);
    add("kept", a.kept);
    add("protected", a.protected_models);
    return text;
  }
  std::string operator()(const action::Finished&) const { return "finished"; }
};

}  // namespace

std::string Names::model(ModelId id) const {
  return id.value < models.size() ? models[id.value] : "m" + std::to_string(id.value);
}

std::string Names::ticket(TicketId id) const {
  return id.value < tickets.size() ? tickets[id.value] : "t" + std::to_string(id.value);
}

std::string describe(const core::Footprint& footprint) {
  std::string text = format_bytes(footprint.in[core::kHostRam]);
  for (std::size_t d = 1; d < core::kDomains; ++d) {
    if (footprint.in[d].count > 0) {
      text += " + " + format_bytes(footprint.in[d]) + " on gpu " + std::to_string(d - 1);
    }
  }
  return text;
}

std::string describe(const core::Event& event, const Names& names) {
  return std::visit(EventWriter{names}, event);
}

std::string describe(const core::Action& action, const Names& names) {
  return std::visit(ActionWriter{names}, action);
}

}  // namespace hf::sim
