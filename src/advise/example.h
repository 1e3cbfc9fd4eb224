#pragma once
// A history for tests: two models of 4 GiB that take turns, recorded with room for one of them.

#include "store/request_log.h"

namespace hf::advise {

inline store::LoggedModel logged_model(const std::string& name, double bits) {
  store::LoggedModel model;
  model.name = name;
  model.footprint = core::Footprint::host(4 * kGiB);
  model.weights = 3 * kGiB;
  model.bits_per_weight = bits;
  model.reload = std::chrono::seconds(7);
  model.slots = 2;
  return model;
}

// `rounds` of a and b, 100 s apart, each served for 3 s after a load of 10 s.
inline store::RequestLog alternating(int rounds) {
  store::RequestLog log;
  log.models = {logged_model("a", 8.5), logged_model("b", 4.5)};
  for (int i = 0; i < 2 * rounds; ++i) {
    const std::int64_t at_ms = 1'700'000'000'000 + 100'000 * i;
    const auto model = static_cast<std::uint32_t>(i % 2);
    log.requests.push_back({.at_ms = at_ms,
                            .model = model,
                            .user = 5,
                            .waited = std::chrono::seconds(10),
                            .served = std::chrono::seconds(3),
                            .cold = true});
    log.loads.push_back({at_ms + 10'000, model, std::chrono::seconds(10)});
  }
  return log;
}

inline core::Limits limits(Bytes budget) {
  core::Limits limits;
  limits.budget = core::Footprint::host(budget);
  return limits;
}

}  // namespace hf::advise
