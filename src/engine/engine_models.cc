// Models in the core's terms: what a file becomes, and what a refusal says.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <set>

#include "base/units.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

// Until a load was measured: the disk of an ordinary server, and the engine's own start.
constexpr double kAssumedBytesPerSecond = 1e9;
constexpr double kAssumedStartSeconds = 0.5;
// A load that is slower than 50 MB/s after a minute's grace is stuck, not slow.
constexpr double kLeastBytesPerSecond = 50e6;
constexpr double kLoadGraceSeconds = 60;

}  // namespace

core::ModelSpec Engine::Impl::spec_of(const ModelFile& file) const {
  const config::ModelConfig& settings = file.source.settings;
  core::ModelSpec spec;
  spec.name = settings.name;
  spec.footprint = core::Footprint::host(file.cost);
  spec.slots = settings.parallel;
  spec.priority = settings.priority;
  spec.ttl = settings.ttl;
  const double bytes = static_cast<double>(file.file_size.count);
  spec.reload = duration_of_seconds(kAssumedStartSeconds + bytes / kAssumedBytesPerSecond);
  spec.load_deadline = duration_of_seconds(kLoadGraceSeconds + bytes / kLeastBytesPerSecond);
  const store::MeasurementKey key{gguf::to_string(file.identity), options_key(file.plan),
                                  traits_.version};
  if (const auto known = measurements_.find(key); known != measurements_.end()) {
    if (known->second.load_seconds_cached) {
      spec.reload = duration_of_seconds(*known->second.load_seconds_cached);
    }
    spec.footprint = core::Footprint::host(std::max(file.cost, known->second.high_water));
  }
  return spec;
}

// A new model, a changed file, or a broken one. The core hears of it before any request does.
void Engine::Impl::put_model(ModelFile file) {
  const std::string name = file.source.settings.name;
  const auto known = catalog_.by_name(name);
  const bool was_broken = known && !catalog_.at(*known).file.problem.empty();
  const bool plan_changed = known && options_key(catalog_.at(*known).file.plan) +
                                             gguf::to_string(catalog_.at(*known).file.identity) !=
                                         options_key(file.plan) + gguf::to_string(file.identity);
  const std::string problem = file.problem;
  if (!problem.empty()) {
    spdlog::warn("model {} cannot be served: {}", name, file.detail);
  } else if (was_broken) {
    spdlog::info("model {} can be served again", name);
  } else if (known && plan_changed) {
    spdlog::info("the file of model {} was replaced", name);
  }
  core::event::ModelAdded added;
  added.spec = spec_of(file);
  added.restart = plan_changed && problem.empty();
  if (!known) {
    if (const auto stats = stats_.find(name); stats != stats_.end()) {
      core::UseHistory history;
      history.use_count =
          static_cast<std::uint64_t>(std::max<std::int64_t>(0, stats->second.use_count));
      const auto wall = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
      const auto since_ms = std::max<std::int64_t>(0, wall - stats->second.last_use_ms);
      // Longer ago than this is all alike, and stays a valid point in time.
      const Duration longest = std::chrono::hours(24 * 300);
      history.since_last_use = std::min<Duration>(longest, std::chrono::milliseconds(since_ms));
      history.episodes = stats->second.episodes;
      added.history = history;
    }
  }
  added.model = catalog_.put(std::move(file));
  feed(added);
  if (!problem.empty()) {
    feed(core::event::ModelBroken{added.model});
  }
}

// New, replaced and vanished files, looked for on the worker.
void Engine::Impl::rescan() {
  if (rescanning_ || stopped_) {
    return;
  }
  rescanning_ = true;
  std::map<std::string, ModelFile> known;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const Catalog::Entry& entry = catalog_.at(ModelId(i));
    if (entry.listed) {
      known.emplace(entry.file.source.settings.name, entry.file);
    }
  }
  const Bytes budget = scheduler_->memory().budget.in[core::kHostRam];
  worker_.run([this, config = config_, known = std::move(known), budget, alive = alive_] {
    std::string warning;
    auto changed = std::make_shared<std::vector<ModelFile>>();
    auto gone = std::make_shared<std::vector<std::string>>();
    std::set<std::string> found;
    for (const ModelSource& source : find_models(*config, warning)) {
      found.insert(source.settings.name);
      const auto before = known.find(source.settings.name);
      if (before == known.end() || !(before->second.source == source) ||
          has_changed(before->second)) {
        changed->push_back(inspect(source, budget));
      }
    }
    for (const auto& [name, file] : known) {
      if (!found.contains(name)) {
        gone->push_back(name);
      }
    }
    boost::asio::post(io_, [this, changed, gone, alive] {
      if (!*alive) {
        return;
      }
      rescanning_ = false;
      for (ModelFile& file : *changed) {
        if (!catalog_.by_name(file.source.settings.name)) {
          spdlog::info("new model {}", file.source.settings.name);
        }
        put_model(std::move(file));
      }
      for (const std::string& name : *gone) {
        spdlog::info("model {} is gone", name);
        const ModelId model = *catalog_.by_name(name);
        catalog_.unlist(model);
        feed(core::event::ModelRemoved{model});
      }
    });
  });
}

Refusal Engine::Impl::refusal_of(ModelId model, const core::Reason& reason,
                                 Duration retry_after) const {
  using core::Why;
  Refusal refusal;
  refusal.reason = reason;
  refusal.retry_after = retry_after;
  const std::string name = catalog_.name(model);
  if (reason.why == Why::NeverFits) {
    refusal.message = "model '" + name + "' needs " + std::to_string(reason.need.count) +
                      " bytes (" + format_bytes(reason.need) + ") and at most " +
                      std::to_string(reason.have.count) + " bytes (" + format_bytes(reason.have) +
                      ") can be given to it";
  } else if (reason.why == Why::ModelBroken) {
    refusal.message = "model '" + name + "' cannot be served: " + catalog_.at(model).file.problem;
  } else {
    refusal.message = "model '" + name + "' is not available: " + core::describe(reason, "");
  }
  return refusal;
}

}  // namespace hf::engine
