#include "advise/case.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <queue>

namespace hf::advise {
namespace {

using std::chrono::milliseconds;
using store::Outcome;

// A load that took no time would make every model free to give up.
constexpr Duration kLeastLoad = milliseconds(1);

bool was_granted(const store::LoggedRequest& request) {
  return request.outcome == Outcome::Done || request.outcome == Outcome::BrokenOff ||
         request.outcome == Outcome::Cut;
}

struct Mean {
  Duration sum{};
  int count = 0;
  void add(Duration value) {
    sum += value;
    ++count;
  }
  [[nodiscard]] std::optional<Duration> value() const {
    return count > 0 ? std::optional(sum / count) : std::nullopt;
  }
};

struct Means {
  explicit Means(const store::RequestLog& log)
      : served(log.models.size()), loads(log.models.size()) {
    for (const store::LoggedRequest& request : log.requests) {
      if (was_granted(request)) {
        served[request.model].add(request.served);
        all_served.add(request.served);
      }
    }
    for (const store::LoggedLoad& load : log.loads) {
      loads[load.model].add(load.took);
    }
  }
  [[nodiscard]] Duration service(std::uint32_t model) const {
    return served[model].value().value_or(all_served.value().value_or(Duration::zero()));
  }
  [[nodiscard]] Duration load(std::uint32_t model, Duration reckoned) const {
    return std::max(kLeastLoad, loads[model].value().value_or(reckoned));
  }

  std::vector<Mean> served;  // by model
  std::vector<Mean> loads;
  Mean all_served;
};

Recorded recorded_of(const store::RequestLog& log) {
  Recorded recorded;
  recorded.requests = log.requests.size();
  recorded.loads = log.loads.size();
  std::vector<std::optional<Duration>> waits;
  for (const store::LoggedRequest& request : log.requests) {
    recorded.waited += request.waited;
    if (was_granted(request)) {
      waits.emplace_back(request.waited);
    } else {
      ++recorded.unserved;
    }
  }
  recorded.wait = sim::wait_figures(waits);
  return recorded;
}

// The scheduler counts on the shell to kill what takes longer.
std::optional<Duration> stop_of(const store::LoggedModel& model) {
  return model.stop ? std::optional(std::min(*model.stop, core::Limits{}.stop_deadline))
                    : std::nullopt;
}

// Finds the answer that a user waited for before asking again.
class Conversations {
 public:
  // Rows come by arrival. The row to follow, if this one came soon after its end.
  void link(UserId user, std::size_t index, const store::LoggedRequest& request,
            sim::TraceRow& row) {
    Answers& answers = users_[user];
    const TimePoint asked{milliseconds(request.at_ms)};
    while (!answers.running.empty() && answers.running.top().ends <= asked + kRounding) {
      answers.last = answers.running.top();
      answers.running.pop();
    }
    if (answers.last && asked - answers.last->ends <= kSoon) {
      row.after = answers.last->index;
      row.think = std::max(Duration::zero(), asked - answers.last->ends);
    }
    answers.running.push({asked + request.waited + request.served, index});
  }

 private:
  // A program in a loop, or somebody who clicks on; people read for longer.
  static constexpr Duration kSoon = std::chrono::seconds(2);
  // Each of the three times of a request is rounded.
  static constexpr Duration kRounding = milliseconds(5);
  struct Answer {
    TimePoint ends;
    std::size_t index = 0;
    bool operator>(const Answer& other) const { return ends > other.ends; }
  };
  struct Answers {
    std::priority_queue<Answer, std::vector<Answer>, std::greater<>> running;
    std::optional<Answer> last;
  };
  std::map<UserId, Answers> users_;
};

constexpr std::uint32_t kLeftOut = UINT32_MAX;

// The models that matter; for each model of the log its place among them.
std::vector<std::uint32_t> add_models(const store::RequestLog& log, const Means& means,
                                      Case& result) {
  std::vector<std::uint64_t> uses(log.models.size());
  for (const store::LoggedRequest& request : log.requests) {
    uses[request.model] += request.outcome == Outcome::Failed ? 0 : 1;
  }
  std::vector<std::uint32_t> place(log.models.size(), kLeftOut);
  for (std::uint32_t i = 0; i < log.models.size(); ++i) {
    const store::LoggedModel& model = log.models[i];
    if ((uses[i] == 0 && !model.pinned) || model.footprint.total().count <= 0) {
      continue;
    }
    place[i] = static_cast<std::uint32_t>(result.models.size());
    result.trace.models.push_back(model.name);
    result.models.push_back({model.footprint, means.load(i, model.reload), model.slots,
                             model.priority, model.ttl, model.pinned, stop_of(model)});
    result.facts.push_back({model.weights, model.bits_per_weight, uses[i]});
  }
  return place;
}

}  // namespace

Case make_case(const store::RequestLog& log, const core::Limits& limits) {
  Case result;
  result.limits = limits;
  result.older = log.older;
  result.recorded = recorded_of(log);
  if (log.requests.empty()) {
    return result;
  }
  result.from_ms = log.requests.front().at_ms;
  result.to_ms = log.requests.back().at_ms;
  const auto moment = [&](std::int64_t at_ms) {
    return TimePoint(milliseconds(at_ms - result.from_ms));
  };
  const Means means(log);
  const std::vector<std::uint32_t> place = add_models(log, means, result);
  std::map<std::uint32_t, UserId> users;
  Conversations conversations;
  for (const store::LoggedRequest& request : log.requests) {
    if (request.outcome == Outcome::Failed || place[request.model] == kLeftOut) {
      continue;
    }
    const auto next = static_cast<std::uint32_t>(users.size() + 1);
    sim::TraceRow row;
    row.at = moment(request.at_ms);
    row.model = ModelId(place[request.model]);
    row.user = users.try_emplace(request.user, UserId(next)).first->second;
    row.service = was_granted(request) ? request.served : means.service(request.model);
    if (request.outcome == Outcome::LeftQueue) {
      row.patience = request.waited;
    }
    conversations.link(row.user, result.trace.rows.size(), request, row);
    result.trace.rows.push_back(row);
  }
  result.trace.users = users.size();
  for (const std::int64_t at_ms : log.starts_ms) {
    if (at_ms > result.from_ms) {
      result.restarts.push_back(moment(at_ms));
    }
  }
  return result;
}

}  // namespace hf::advise
