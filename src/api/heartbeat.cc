#include "api/heartbeat.h"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <utility>

#include "api/json_values.h"

namespace hf::api {
namespace {

namespace json = boost::json;

// A wait that is over within a second needs no words, and keeps the status of its answer open.
constexpr Duration kFirst = std::chrono::seconds(1);
constexpr Duration kEvery = std::chrono::seconds(2);
// Proxies wait 60 s for the next byte, some 30.
constexpr int kBeatsOfPrompt = 5;

}  // namespace

json::object progress_object(const std::optional<engine::WaitNow>& wait) {
  if (!wait) {
    return {{"state", "processing"}};
  }
  const core::TicketView& ticket = wait->promise.ticket;
  json::object object{{"state", wait->load_progress ? "loading" : "queued"}};
  if (wait->load_progress) {
    object["load_progress"] = std::round(std::clamp(*wait->load_progress, 0.0, 1.0) * 100) / 100;
  }
  object["position"] = ticket.position;
  object["place"] = ticket.place;
  object["waited_s"] = rounded_seconds(ticket.waited);
  object["eta_s"] = optional_seconds(ticket.eta);
  object["bound_s"] = optional_seconds(ticket.bound);
  object["waiting_for"] = core::name_of(wait->promise.waiting_for);
  return object;
}

std::string event_stream_heartbeat(const json::object& progress, Dialect dialect) {
  const std::string comment = ": holdfast " + json::serialize(progress) + "\n";
  return dialect == Dialect::Anthropic ? comment + "event: ping\ndata: {\"type\": \"ping\"}\n\n"
                                       : comment + "\n";
}

bool wants_heartbeats(const net::RequestHead& head) {
  constexpr std::array<std::string_view, 4> kOff{"off", "0", "no", "false"};
  const std::string_view value = head.header("x-holdfast-heartbeat");
  return std::none_of(kOff.begin(), kOff.end(),
                      [value](std::string_view off) { return net::header_equals(value, off); });
}

void Heartbeats::start() {
  schedule(kFirst);
}

void Heartbeats::set_waiting(bool waiting) {
  waiting_ = waiting;
  silent_beats_ = 0;
}

void Heartbeats::stop() {
  exchange_.reset();
  source_ = {};
}

void Heartbeats::schedule(Duration delay) {
  after_(delay, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) {
      self->beat();
    }
  });
}

void Heartbeats::beat() {
  if (!exchange_) {
    return;
  }
  if (waiting_ || ++silent_beats_ % kBeatsOfPrompt == 0) {
    if (!exchange_->stream_started()) {
      exchange_->start_stream(source_.head());
    }
    exchange_->write(source_.text());
  }
  schedule(kEvery);
}

}  // namespace hf::api
