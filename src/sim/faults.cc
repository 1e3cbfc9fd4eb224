#include "sim/faults.h"

#include <algorithm>

namespace hf::sim {
namespace {

using core::UnloadMode;
namespace event = core::event;

constexpr std::uint64_t kFaultsStream = 4;
// Ids that no run reaches: news about what never was.
constexpr TicketId kUnknownTicket{~0ULL};
constexpr ModelId kUnknownModel{~0U};
constexpr double kCalmPercent = 20;
constexpr Duration kLongestSilence = std::chrono::seconds(10);

}  // namespace

Faults::Faults(const Plan& plan, std::uint64_t seed, Timeline& timeline, World& world)
    : plan_(plan), random_(seed, kFaultsStream), timeline_(timeline), world_(world) {}

void Faults::start(TimePoint now) {
  const bool any =
      std::any_of(plan_.faults.begin(), plan_.faults.end(), [](double w) { return w > 0; });
  if (any) {
    timeline_.add(now + random_.exponential(plan_.fault_gap), {.what = What::Fault});
  }
}

std::optional<core::Event> Faults::happen(TimePoint now) {
  if (calm_) {
    return std::nullopt;
  }
  // A stall without end is told of often enough not to end by silence; where stalls come again and
  // again, one follows another soon.
  const bool drums = plan_.stall_goes_on >= 1 ? stalled_ : plan_.stall_goes_on > kFewReadings;
  const Duration gap = random_.exponential(plan_.fault_gap);
  timeline_.add(now + (drums ? std::min(gap, kLongestSilence) : gap), {.what = What::Fault});
  if (drums && random_.chance(0.7)) {
    return reading();
  }
  const ModelId model(static_cast<std::uint32_t>(random_.below(plan_.models.size())));
  switch (static_cast<Fault>(random_.weighted(plan_.faults))) {
    case Fault::Crash:
      return crash(model);
    case Fault::Growth:
      return measure(model, true);
    case Fault::Reading:
      return reading();
    case Fault::Tune:
      return tune(model);
    case Fault::Replace:
      return replace(model);
    case Fault::Remove:
      return random_.chance(0.5) ? core::Event(event::ModelRemoved{model}) : replace(model);
    case Fault::Broken:
      return random_.chance(0.5) ? core::Event(event::ModelBroken{model}) : replace(model);
    case Fault::Pin:
      return pin(model);
    case Fault::UnloadIdle:
      return event::Unload{next_command(), model, UnloadMode::IfIdle};
    case Fault::Drain:
      return event::Unload{next_command(), model, UnloadMode::Drain};
    case Fault::Force:
      return event::Unload{next_command(), model, UnloadMode::Force};
    case Fault::CleanupNormal:
      return event::Cleanup{next_command(), core::CleanupLevel::Normal};
    case Fault::CleanupEmergency:
      return event::Cleanup{next_command(), core::CleanupLevel::Emergency};
    case Fault::Budget:
      return budget();
    case Fault::StaleNews:
      return stale_news(model);
    case Fault::Measure:
      return measure(model, false);
    case Fault::Preload:
      return event::Preload{model};
    case Fault::Settings:
      return settings();
  }
  return std::nullopt;
}

// What crashed once crashes again; where there is no child, another one is struck.
std::optional<core::Event> Faults::crash(ModelId model) {
  const bool again = random_.chance(0.6) && world_.child(crashed_).phase != Phase::None;
  crashed_ = again ? crashed_ : model;
  for (std::size_t i = 0; i < plan_.models.size(); ++i) {
    if (world_.child(crashed_).phase != Phase::None) {
      break;
    }
    crashed_ = ModelId((crashed_.value + 1) % static_cast<std::uint32_t>(plan_.models.size()));
  }
  return world_.crash(crashed_);
}

core::Event Faults::reading() {
  if (random_.chance(0.3)) {
    used_percent_ = random_.real(30, 100);
  } else if (!stalled_ || random_.chance(0.3)) {
    used_percent_ = std::clamp(used_percent_ + random_.real(-12, 10), 10.0, 100.0);
  }
  // A stall goes on for a few readings, for many, or without end; often nothing else changes
  // meanwhile.
  stalled_ = random_.chance(stalled_ ? plan_.stall_goes_on : plan_.stalls) && plan_.stalls > 0;
  return event::MemoryReading{used_percent_, stalled_};
}

core::Event Faults::tune(ModelId model) {
  event::SpecTuned tuned;
  tuned.model = model;
  if (random_.chance(0.5)) {
    tuned.reload = random_.duration(std::chrono::milliseconds(100), std::chrono::seconds(60));
  }
  if (plan_.bound_checked) {
    return tuned;
  }
  if (random_.chance(0.5)) {
    tuned.longest_answer = random_.duration(std::chrono::seconds(1), std::chrono::seconds(600));
  }
  if (random_.chance(0.5)) {
    tuned.footprint = draw_size(random_, plan_.limits.budget, plan_.domains);
  }
  return tuned;
}

core::Event Faults::replace(ModelId model) {
  event::ModelAdded added;
  added.model = model;
  added.spec = plan_.models[model.value].spec;
  if (random_.chance(0.5)) {
    added.spec.footprint = draw_size(random_, plan_.limits.budget, plan_.domains);
    added.spec.slots = static_cast<int>(random_.between(1, 6));
  }
  added.restart = random_.chance(0.5);
  return added;
}

core::Event Faults::pin(ModelId model) {
  return event::Pin{next_command(), model, random_.chance(0.4)};
}

core::Event Faults::budget() {
  core::Limits limits = plan_.limits;
  const double share = random_.chance(0.5) ? 1.0 : random_.real(0.3, 1.2);
  for (Bytes& bytes : limits.budget.in) {
    bytes = Bytes(static_cast<std::int64_t>(static_cast<double>(bytes.count) * share));
  }
  return event::LimitsChanged{limits};
}

core::Event Faults::settings() {
  core::Limits limits = plan_.limits;
  const auto other = [this](Duration d) {
    return std::max<Duration>(std::chrono::seconds(1),
                              duration_of_seconds(seconds_of(d) * random_.real(0.5, 2)));
  };
  limits.patience = other(limits.patience);
  if (limits.turn) {
    limits.turn = other(*limits.turn);
  }
  if (limits.request_limit) {
    limits.request_limit = other(*limits.request_limit);
  }
  return event::LimitsChanged{limits};
}

std::optional<core::Event> Faults::measure(ModelId model, bool beyond) {
  const Child& child = world_.child(model);
  if (child.phase == Phase::None) {
    return std::nullopt;
  }
  const double share = beyond ? random_.real(1.0, 1.5) : random_.real(0.5, 1.0);
  core::Footprint in_use = child.reserved;
  for (Bytes& bytes : in_use.in) {
    bytes = Bytes(static_cast<std::int64_t>(static_cast<double>(bytes.count) * share));
  }
  return event::Measured{model, child.generation, in_use};
}

core::Event Faults::stale_news(ModelId model) {
  const Generation now = world_.child(model).generation;
  const Generation old(now.value == 0 ? 7 : now.value - 1);
  switch (random_.below(8)) {
    case 0:
      return event::Exited{model, old};
    case 1:
      return event::LoadReady{model, old};
    case 2:
      return event::LoadFailed{model, old, core::LoadFailure::OutOfMemory};
    case 3:
      return event::Ended{kUnknownTicket, core::EndKind::ClientGone};
    case 4:
      return event::ReaderStalled{kUnknownTicket};
    case 5:
      return event::Exited{kUnknownModel, now};
    case 6:
      return event::Unload{next_command(), kUnknownModel, UnloadMode::Force};
    default:
      return event::Measured{model, old, world_.child(model).reserved};
  }
}

std::vector<core::Event> Faults::calm_down() {
  calm_ = true;
  std::vector<core::Event> events{event::MemoryReading{kCalmPercent}};
  for (std::uint32_t i = 0; i < plan_.models.size(); ++i) {
    events.emplace_back(event::Pin{next_command(), ModelId(i), false});
  }
  return events;
}

}  // namespace hf::sim
