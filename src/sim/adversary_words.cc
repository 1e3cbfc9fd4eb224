// A case in words.
#include <array>
#include <cstdio>
#include <string_view>

#include "base/units.h"
#include "sim/adversary_case.h"
#include "sim/describe.h"

namespace hf::sim {
namespace {

std::string span(Duration d) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f s", seconds_of(d));
  return text.data();
}

std::string span(const std::optional<Duration>& d, std::string_view otherwise) {
  return d ? span(*d) : std::string(otherwise);
}

std::string name(std::uint32_t model) {
  return "m" + std::to_string(model);
}

std::string text_of(const When& when) {
  const std::string after = span(when.delay) + " after ";
  const std::string nth = " number " + std::to_string(when.nth) + " of " + name(when.model);
  switch (when.anchor) {
    case Anchor::Start:
      return after + "the start";
    case Anchor::LoadStarted:
      return after + "load" + nth;
    case Anchor::Ready:
      return after + "readiness" + nth;
    case Anchor::GateShut:
      return after + "shut gate" + nth;
    case Anchor::Reaped:
      return after + "exit" + nth;
  }
  return after;
}

std::string_view text_of(Blow blow) {
  switch (blow) {
    case Blow::Crash:
      return "crash of";
    case Blow::UnloadIdle:
      return "unload, if idle,";
    case Blow::Cleanup:
      return "emergency cleanup; not";
    case Blow::Preload:
      return "preload of";
    case Blow::Drain:
      return "drain of";
    case Blow::Restart:
      return "restart of";
    case Blow::Pressure:
      return "memory pressure; not";
    case Blow::Slower:
      return "a new measured load of";
    case Blow::Settings:
      return "new patience, turn and request limit; not";
  }
  return "?";
}

std::string_view text_of(LoadEnd end) {
  switch (end) {
    case LoadEnd::Ready:
      return "ready";
    case LoadEnd::Crashed:
      return "crashed";
    case LoadEnd::OutOfMemory:
      return "out of memory";
    case LoadEnd::TimedOut:
      return "timed out";
  }
  return "?";
}

std::string text_of(const ModelGenes& model, std::uint32_t id) {
  std::string text = "model " + name(id) + ": " + format_bytes(model.size);
  if (model.gpu_size.count > 0) {
    text += " + " + format_bytes(model.gpu_size) + " on the card";
  }
  text += ", slots " + std::to_string(model.slots) + ", priority " + std::to_string(model.priority);
  text += ", load deadline " + span(model.load_deadline) + ", measured " + span(model.reload);
  text += model.pinned ? ", pinned" : "";
  for (const Attempt& attempt : model.attempts) {
    text += "; load: " + std::string(text_of(attempt.end)) + " after " +
            std::to_string(attempt.share) + " of its deadline";
  }
  for (const double share : model.stops) {
    text += "; stop: " + std::to_string(share) + " of its deadline";
  }
  return text + "\n";
}

std::string text_of(const Visit& visit) {
  std::string text = text_of(visit.when) + ": user " + std::to_string(visit.user) + " asks " +
                     name(visit.model) + (visit.load_only ? " to be loaded" : "");
  if (visit.times > 1) {
    text += " " + std::to_string(visit.times) + " times, each " + span(visit.every) + " later";
  }
  text += ", answer " + span(visit.answer, "without end");
  if (visit.leaves) {
    text += ", leaves after " + span(*visit.leaves);
    text += visit.returns ? " and returns after " + span(*visit.returns) : "";
  }
  text += visit.stalls ? ", reads for " + span(*visit.stalls) : "";
  return text + "\n";
}

}  // namespace

std::string in_words(const Case& c) {
  const core::Limits& limits = c.limits;
  std::string text = "patience " + span(limits.patience) + ", turn " +
                     span(limits.turn, "by the measured load") + ", request limit " +
                     span(limits.request_limit, "none") + ", longest answer " +
                     span(c.longest_answer) + ", stop deadline " + span(limits.stop_deadline) +
                     ", loads at once " + std::to_string(limits.loads_at_once) + ", users " +
                     std::to_string(limits.users) + ", memory " + describe(limits.budget) + "\n";
  for (std::uint32_t i = 0; i < c.models.size(); ++i) {
    text += text_of(c.models[i], i);
  }
  for (const Visit& visit : c.visits) {
    text += text_of(visit);
  }
  for (const Strike& strike : c.strikes) {
    text += text_of(strike.when) + ": " + std::string(text_of(strike.blow)) + " " +
            name(strike.model) + ", " + span(strike.lasts) + "\n";
  }
  return text;
}

}  // namespace hf::sim
