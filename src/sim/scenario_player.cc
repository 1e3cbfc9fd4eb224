#include "sim/scenario_player.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <sstream>
#include <utility>

#include "base/units.h"

namespace hf::sim {
namespace {

namespace event = core::event;

std::vector<std::string> split(std::string_view line) {
  std::istringstream in{std::string(line)};
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

template <class T = std::string>
Result<T> expected(const std::string& what) {
  return fail(Errc::InvalidArgument, "expected " + what);
}

Result<int> parse_int(const std::string& text) {
  int value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return fail(Errc::InvalidArgument, "expected a number, not '" + text + "'");
  }
  return value;
}

Result<double> parse_percent(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, value);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return fail(Errc::InvalidArgument, "expected a percentage, not '" + text + "'");
  }
  return value;
}

// Sets one field from "key=value"; false: no such key.
Result<bool> set_field(core::ModelSpec& spec, const std::string& key, const std::string& value) {
  if (key == "slots" || key == "priority") {
    const auto number = parse_int(value);
    if (!number) {
      return fail(number.error());
    }
    (key == "slots" ? spec.slots : spec.priority) = *number;
    return true;
  }
  const auto duration = parse_duration(value);
  if (!duration) {
    return fail(duration.error());
  }
  if (key == "ttl") {
    spec.ttl = *duration;
  } else if (key == "reload") {
    spec.reload = *duration;
  } else if (key == "load_deadline") {
    spec.load_deadline = *duration;
  } else if (key == "answer") {
    spec.longest_answer = *duration;
  } else {
    return false;
  }
  return true;
}

std::optional<core::LoadFailure> failure_named(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, core::LoadFailure>, 5> kNames{{
      {"spawn", core::LoadFailure::SpawnFailed},
      {"crashed", core::LoadFailure::Crashed},
      {"oom", core::LoadFailure::OutOfMemory},
      {"timeout", core::LoadFailure::TimedOut},
      {"broken", core::LoadFailure::Broken},
  }};
  for (const auto& [known, failure] : kNames) {
    if (known == name) {
      return failure;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<std::string> ScenarioPlayer::perform(std::string_view line) {
  const Words words = split(line);
  if (words.empty()) {
    return expected("a command");
  }
  if (words[0] == "show") {
    return show();
  }
  if (words[0] == "advance") {
    return advance(words);
  }
  if (words[0] == "bound") {
    return bound(words);
  }
  const auto limit = set_limit(words);
  if (!limit) {
    return fail(limit.error());
  }
  if (*limit) {
    return std::string();
  }
  const auto event = event_of(words);
  if (!event) {
    return fail(event.error());
  }
  return deliver(*event, false);
}

core::Scheduler& ScenarioPlayer::scheduler() {
  if (!scheduler_) {
    scheduler_ = std::make_unique<core::Scheduler>(limits_);
  }
  return *scheduler_;
}

Result<bool> ScenarioPlayer::set_limit(const Words& words) {
  if (scheduler_ || words.size() != 2) {
    return false;
  }
  const std::string& name = words[0];
  if (name == "budget") {
    const auto bytes = parse_bytes(words[1]);
    if (!bytes) {
      return fail(bytes.error());
    }
    limits_.budget = core::Footprint::host(*bytes);
    return true;
  }
  if (name == "loads_at_once" || name == "max_waiting") {
    const auto number = parse_int(words[1]);
    if (!number) {
      return fail(number.error());
    }
    (name == "max_waiting" ? limits_.max_waiting : limits_.loads_at_once) = *number;
    return true;
  }
  const bool known =
      name == "patience" || name == "turn" || name == "request_limit" || name == "drain";
  if (!known) {
    return false;
  }
  const auto duration = parse_duration(words[1]);
  if (!duration) {
    return fail(duration.error());
  }
  if (name == "turn") {
    limits_.turn = *duration;
  } else if (name == "request_limit") {
    limits_.request_limit = *duration;
  } else {
    (name == "drain" ? limits_.drain : limits_.patience) = *duration;
  }
  return true;
}

Result<core::Event> ScenarioPlayer::event_of(const Words& words) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), words[0]) != names.end();
  };
  if (is_one_of({"model", "tune", "broken", "remove"})) {
    return model_event(words);
  }
  if (is_one_of({"arrive", "load", "end", "cancel", "stall", "resume"})) {
    return client_event(words);
  }
  if (is_one_of({"ready", "fail", "exit", "measured"})) {
    return child_event(words);
  }
  return command_event(words);
}

Result<core::Event> ScenarioPlayer::model_event(const Words& words) {
  if (words[0] == "model") {
    return model_added(words);
  }
  if (words.size() < 2) {
    return expected<core::Event>(words[0] + " MODEL");
  }
  const auto model = known_model(words[1]);
  if (!model) {
    return fail(model.error());
  }
  if (words[0] == "broken") {
    return event::ModelBroken{*model};
  }
  if (words[0] == "remove") {
    return event::ModelRemoved{*model};
  }
  const auto size = parse_bytes(words.size() == 3 ? words[2] : "");
  if (!size) {
    return fail(size.error());
  }
  event::SpecTuned tuned;
  tuned.model = *model;
  tuned.footprint = core::Footprint::host(*size);
  return tuned;
}

Result<core::Event> ScenarioPlayer::model_added(const Words& words) {
  const auto size = parse_bytes(words.size() >= 3 ? words[2] : "");
  if (!size) {
    return fail(size.error());
  }
  event::ModelAdded added;
  const auto known = std::find(names_.models.begin(), names_.models.end(), words[1]);
  added.model = ModelId(static_cast<std::uint32_t>(known - names_.models.begin()));
  if (known == names_.models.end()) {
    names_.models.push_back(words[1]);
  }
  added.spec.name = words[1];
  added.spec.footprint = core::Footprint::host(*size);
  added.spec.slots = 1;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (words[i] == "restart") {
      added.restart = true;
    } else if (equals == std::string::npos) {
      return expected<core::Event>("key=value");
    } else {
      const auto set =
          set_field(added.spec, words[i].substr(0, equals), words[i].substr(equals + 1));
      if (!set || !*set) {
        return set ? expected<core::Event>("a field of a model") : fail(set.error());
      }
    }
  }
  return added;
}

Result<core::Event> ScenarioPlayer::client_event(const Words& words) {
  if (words[0] == "arrive" || words[0] == "load") {
    return arrived(words);
  }
  const auto ticket = known_ticket(words.size() == 2 ? words[1] : "");
  if (!ticket) {
    return fail(ticket.error());
  }
  if (words[0] == "stall") {
    return event::ReaderStalled{*ticket};
  }
  if (words[0] == "resume") {
    return event::ReaderResumed{*ticket};
  }
  return event::Ended{*ticket, words[0] == "end" ? core::EndKind::Done : core::EndKind::ClientGone};
}

Result<core::Event> ScenarioPlayer::arrived(const Words& words) {
  if (words.size() < 3) {
    return expected<core::Event>(words[0] + " TICKET MODEL");
  }
  const auto model = known_model(words[2]);
  if (!model) {
    return fail(model.error());
  }
  event::Arrived arrived;
  arrived.ticket = TicketId(names_.tickets.size());
  names_.tickets.push_back(words[1]);
  arrived.model = *model;
  arrived.kind = words[0] == "load" ? core::TicketKind::Load : core::TicketKind::Request;
  constexpr std::string_view kUser = "user=";
  if (words.size() == 4 && words[3].starts_with(kUser)) {
    const auto user = parse_int(words[3].substr(kUser.size()));
    if (!user) {
      return fail(user.error());
    }
    arrived.user = UserId(static_cast<std::uint32_t>(*user));
  }
  return arrived;
}

Result<core::Event> ScenarioPlayer::child_event(const Words& words) {
  const auto model = known_model(words.size() >= 2 ? words[1] : "");
  if (!model) {
    return fail(model.error());
  }
  const Generation generation = generation_of(*model);
  if (words[0] == "ready") {
    return event::LoadReady{*model, generation};
  }
  if (words[0] == "exit") {
    return event::Exited{*model, generation};
  }
  if (words.size() != 3) {
    return expected<core::Event>("one more argument");
  }
  if (words[0] == "fail") {
    const auto failure = failure_named(words[2]);
    if (!failure) {
      return expected<core::Event>("spawn, crashed, oom, timeout or broken");
    }
    return event::LoadFailed{*model, generation, *failure};
  }
  const auto size = parse_bytes(words[2]);
  if (!size) {
    return fail(size.error());
  }
  return event::Measured{*model, generation, core::Footprint::host(*size)};
}

Result<core::Event> ScenarioPlayer::command_event(const Words& words) {
  const std::string& verb = words[0];
  if (verb == "shutdown") {
    return event::Shutdown{};
  }
  if (words.size() < 2) {
    return expected<core::Event>("a command, not '" + verb + "'");
  }
  if (verb == "reading") {
    const auto percent = parse_percent(words[1]);
    const bool stalled = words.size() == 3 && words[2] == "stalled";
    return percent ? Result<core::Event>(event::MemoryReading{*percent, stalled})
                   : fail(percent.error());
  }
  if (verb == "budget") {
    const auto bytes = parse_bytes(words[1]);
    if (!bytes) {
      return fail(bytes.error());
    }
    core::Limits limits = scheduler_->limits();
    limits.budget = core::Footprint::host(*bytes);
    return event::LimitsChanged{limits};
  }
  if (verb == "cleanup") {
    const bool emergency = words[1] == "emergency";
    return event::Cleanup{++commands_,
                          emergency ? core::CleanupLevel::Emergency : core::CleanupLevel::Normal};
  }
  const auto model = known_model(words[1]);
  if (!model) {
    return fail(model.error());
  }
  if (verb == "pin" || verb == "unpin") {
    return event::Pin{++commands_, *model, verb == "pin"};
  }
  if (verb != "unload") {
    return expected<core::Event>("a command, not '" + verb + "'");
  }
  const std::string mode = words.size() == 3 ? words[2] : "";
  return event::Unload{++commands_, *model,
                       mode == "force"   ? core::UnloadMode::Force
                       : mode == "drain" ? core::UnloadMode::Drain
                                         : core::UnloadMode::IfIdle};
}

}  // namespace hf::sim
