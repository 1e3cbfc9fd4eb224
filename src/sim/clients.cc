#include "sim/clients.h"

#include <algorithm>

namespace hf::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint64_t kClientsStream = 3;
constexpr int kBurst = 50;
constexpr Duration kEndless = std::chrono::hours(24 * 365);
// Refused clients that come back do so a few times each, or a full queue feeds itself.
constexpr double kRetriesLeft = 0.8;

}  // namespace

Clients::Clients(const Plan& plan, std::uint64_t seed, Timeline& timeline)
    : plan_(plan), random_(seed, kClientsStream), timeline_(timeline) {
  for (const ModelPlan& model : plan.models) {
    popularity_.push_back(model.popularity);
  }
}

void Clients::start(TimePoint now) {
  timeline_.add(now, {.what = What::Arrivals});
}

Happening Clients::some_request() {
  Happening request{.what = What::Arrive};
  request.model = ModelId(static_cast<std::uint32_t>(random_.weighted(popularity_)));
  request.user =
      UserId(static_cast<std::uint32_t>(random_.below(static_cast<std::uint64_t>(plan_.users))));
  return request;
}

std::optional<core::Event> Clients::happen(const Happening& happening, TimePoint now) {
  switch (happening.what) {
    case What::Arrivals: {
      if (calm_) {
        return std::nullopt;
      }
      const Happening request = some_request();
      if (random_.chance(plan_.burst)) {
        for (int i = 1; i < kBurst; ++i) {
          timeline_.add(now, request);
        }
      }
      timeline_.add(now + random_.exponential(plan_.arrival_gap), {.what = What::Arrivals});
      return arrive(request.model, request.user, now);
    }
    case What::Arrive:
      return calm_ ? std::nullopt : std::optional(arrive(happening.model, happening.user, now));
    case What::Leave:
      return leave(happening.ticket, now);
    case What::Answered: {
      Request& request = requests_[happening.ticket.value];
      const bool late = request.stage == Stage::Over;
      if (late && random_.chance(0.8)) {
        return std::nullopt;  // else: late news of a lease that was cut
      }
      request.stage = Stage::Over;
      return core::event::Ended{happening.ticket, core::EndKind::Done};
    }
    case What::OpenEnded:
      return core::event::OpenEnded{happening.ticket};
    case What::Stall:
      return core::event::ReaderStalled{happening.ticket};
    case What::Resume:
      return core::event::ReaderResumed{happening.ticket};
    case What::Loaded:
    case What::Exit:
    case What::Fault:
      break;
  }
  return std::nullopt;
}

core::Event Clients::arrive(ModelId model, UserId user, TimePoint now) {
  const TicketId ticket(requests_.size());
  requests_.push_back(Request{model, user, Stage::Waiting});
  if (random_.chance(plan_.leave)) {
    const Duration after = random_.exponential(plan_.limits.patience);
    timeline_.add(now + after, {.what = What::Leave, .ticket = ticket});
  }
  const bool load = random_.chance(plan_.load_ticket);
  return core::event::Arrived{ticket, model, user,
                              load ? core::TicketKind::Load : core::TicketKind::Request};
}

std::optional<core::Event> Clients::leave(TicketId ticket, TimePoint now) {
  Request& request = requests_[ticket.value];
  if (request.stage == Stage::Over) {
    return std::nullopt;
  }
  request.stage = Stage::Over;
  if (random_.chance(plan_.come_back)) {
    timeline_.add(now + random_.duration(milliseconds(1), seconds(30)),
                  {.what = What::Arrive, .model = request.model, .user = request.user});
  }
  const bool gone = random_.chance(0.8);
  return core::event::Ended{ticket, gone ? core::EndKind::ClientGone : core::EndKind::Done};
}

Duration Clients::draw_service() {
  if (calm_) {
    return random_.duration(milliseconds(1), seconds(60));
  }
  if (random_.chance(plan_.endless)) {
    return kEndless;
  }
  Duration service = random_.exponential(plan_.service);
  if (random_.chance(0.1)) {
    service *= 10;
  }
  return plan_.longest_service ? std::min(service, *plan_.longest_service) : service;
}

void Clients::told(const core::action::Grant& action, TimePoint now) {
  Request& request = requests_[action.ticket.value];
  if (action.kind == core::TicketKind::Load) {
    request.stage = Stage::Over;
    return;
  }
  request.stage = Stage::Served;
  const bool open_ended = !calm_ && random_.chance(plan_.open_ended);
  const Duration service = open_ended ? kEndless : draw_service();
  if (open_ended) {
    timeline_.add(now, {.what = What::OpenEnded, .ticket = action.ticket});
  }
  timeline_.add(now + service, {.what = What::Answered, .ticket = action.ticket});
  if (!calm_ && random_.chance(plan_.stall)) {
    const Duration after = std::min(service, random_.exponential(plan_.service));
    timeline_.add(now + after, {.what = What::Stall, .ticket = action.ticket});
    if (random_.chance(0.7)) {
      timeline_.add(now + after + random_.duration(seconds(1), seconds(120)),
                    {.what = What::Resume, .ticket = action.ticket});
    }
  }
}

void Clients::told(const core::action::Refuse& action, TimePoint now) {
  Request& request = requests_[action.ticket.value];
  request.stage = Stage::Over;
  if (action.retry_after > Duration::zero() && random_.chance(plan_.retry * kRetriesLeft)) {
    timeline_.add(now + action.retry_after,
                  {.what = What::Arrive, .model = request.model, .user = request.user});
  }
}

void Clients::told(const core::action::CutLease& action, TimePoint now) {
  requests_[action.ticket.value].stage = Stage::Over;
  timeline_.add(now + milliseconds(1), {.what = What::Answered, .ticket = action.ticket});
}

void Clients::calm_down(TimePoint now) {
  calm_ = true;
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    if (requests_[i].stage == Stage::Served) {
      timeline_.add(now + random_.duration(milliseconds(1), seconds(60)),
                    {.what = What::Answered, .ticket = TicketId(i)});
    }
  }
}

}  // namespace hf::sim
