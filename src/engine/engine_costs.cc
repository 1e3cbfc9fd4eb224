// What was learnt about time: how long loads take from the disk and from the page cache, how slow
// answers are at their slowest. The core hears of it when it moved, not at every answer.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <filesystem>
#include <utility>

#include "engine/impl.h"
#include "engine/reload_time.h"
#include "readers/page_cache.h"

namespace hf::engine {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// A look that was held up behind other work sees what the child has already read.
constexpr std::chrono::milliseconds kLateLook{100};
// The looks take at most this part of one core, whatever the kernel and the memory are.
constexpr int kLooksPart = 50;
// Where the kernel does not tell, all loads are averaged as one kind.
constexpr double kUnknownShare = 1;

// A model's files, for a look at the page cache.
struct Files {
  ModelId model;
  std::vector<fs::path> paths;  // empty: it is loaded past the page cache
  Mechanisms without;
  bool unknown = false;  // which files it reads is the command's own affair
};

Files files_of(ModelId model, const ModelFile& file, const Mechanisms& without) {
  Files files{model, {}, without};
  if (file.plan.command) {
    files.unknown = true;
    return files;
  }
  if (file.plan.load_mode != config::LoadMode::Dio) {
    files.paths.push_back(file.source.path);
    for (const auto& companion : file.companions) {
      files.paths.push_back(companion.first);
    }
  }
  return files;
}

// Worker. nullopt: the kernel does not tell, or a file is gone.
std::optional<double> cached_share(const Files& files) {
  if (files.unknown) {
    return std::nullopt;
  }
  Bytes cached;
  Bytes size;
  for (const fs::path& path : files.paths) {
    const auto bytes = readers::read_cached_bytes(path, files.without);
    if (!bytes) {
      return std::nullopt;
    }
    cached += bytes->cached;
    size += bytes->size;
  }
  return size.count == 0 ? 0 : static_cast<double>(cached.count) / static_cast<double>(size.count);
}

using Shares = std::vector<std::pair<ModelId, std::optional<double>>>;

// Worker.
Shares cached_shares(const std::vector<Files>& all) {
  Shares shares;
  shares.reserve(all.size());
  for (const Files& files : all) {
    shares.emplace_back(files.model, cached_share(files));
  }
  return shares;
}

std::optional<Duration> seconds(const std::optional<double>& value) {
  return value ? std::optional(duration_of_seconds(*value)) : std::nullopt;
}

}  // namespace

ModelCosts Engine::Impl::costs_of(const ModelFile& file) const {
  if (file.plan.command) {
    return costs_of_command(file);
  }
  ModelCosts costs;
  const auto id = catalog_.by_name(file.source.settings.name);
  if (const auto before = id ? costs_.find(*id) : costs_.end(); before != costs_.end()) {
    costs.page_cache_share = before->second.page_cache_share;
  }
  const store::MeasurementKey key = measurement_key(file);
  store::Measurement measurement;
  if (const auto known = measurements_.find(key); known != measurements_.end()) {
    measurement = known->second;
  }
  costs.load_cached = seconds(measurement.load_seconds_cached);
  costs.load_cold = seconds(measurement.load_seconds_cold);
  costs.load_cached_estimated = measurement.load_cached_estimated;
  costs.load_cold_estimated = measurement.load_cold_estimated;
  costs.reload = reload_time(load_times(measurement, file.file_size),
                             costs.page_cache_share.value_or(kUnknownShare));
  const KnownSpeeds speeds = known_speeds(speeds_, key);
  costs.slowest_decode = speeds.decode;
  costs.slowest_prefill = speeds.prefill;
  AnswerFacts facts;
  facts.context = file.plan.context;
  facts.weights = file.file_size;
  facts.decodes = file.plan.kind == ModelKind::Chat;
  facts.decode = costs.slowest_decode;
  facts.prefill = costs.slowest_prefill;
  if (const auto time = answer_time(facts, samples_)) {
    costs.longest_answer = time->longest;
    costs.longest_answer_measured = time->measured;
  }
  return costs;
}

void Engine::Impl::learn_load(ModelId model, const Running& running, Duration took) {
  const ModelFile& file = catalog_.at(model).file;
  if (running.cached_at_start && running.key == measurement_key(file)) {
    engine::learn_load(measurements_[running.key], file.file_size, took, *running.cached_at_start);
    save_measurement(running.key);
    tune(model);
  }
  // Its file has just been read.
  look_at_page_cache_of({model});
}

void Engine::Impl::learn_speed(ModelId model, Generation generation, const process::Speed& speed) {
  const auto running = running_.find(model);
  if (running == running_.end() || running->second.generation != generation) {
    return;
  }
  const store::MeasurementKey& key = running->second.key;
  Speeds& speeds = speeds_[key];
  const bool decode = speed.kind == process::Speed::Kind::Decode;
  store::SlowestRate& rate = decode ? speeds.decode : speeds.prefill;
  const auto before = rate.value();
  rate.add(speed.tokens_per_second);
  store::Measurement& measurement = measurements_[key];
  auto& remembered = decode ? measurement.slowest_decode : measurement.slowest_prefill;
  if (remembered != rate.to_remember()) {
    remembered = rate.to_remember();
    save_measurement(key);
  }
  if (rate.value() != before) {
    tune_all();  // the others' estimates rest on it
  }
}

// What the page cache holds of the files before the child reads them tells which kind of load this
// is.
void Engine::Impl::note_cached_at_start(ModelId model, Generation generation) {
  Files files = files_of(model, catalog_.at(model).file, config_->memory.without);
  worker_.run(
      [this, model, generation, files = std::move(files), asked = Clock::now(), alive = alive_] {
        const bool late = Clock::now() - asked > kLateLook;
        const double share = cached_share(files).value_or(kUnknownShare);
        if (late) {
          return;
        }
        boost::asio::post(io_, [this, model, generation, share, alive] {
          const auto running = *alive ? running_.find(model) : running_.end();
          if (*alive && running != running_.end() && running->second.generation == generation) {
            running->second.cached_at_start = share;
          }
        });
      });
}

// All models that can be loaded or given up. Nothing to decide, nothing to look at; but the first
// look is at the start.
void Engine::Impl::look_at_page_cache() {
  const bool first = !next_page_cache_look_;
  if (!first && (looking_at_page_cache_ || now() < *next_page_cache_look_ ||
                 (running_.empty() && waiting_.empty()))) {
    return;
  }
  std::vector<ModelId> models;
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    if (scheduler_->view(ModelId(i)).state != core::State::Loading) {
      models.push_back(ModelId(i));
    }
  }
  next_page_cache_look_ = now();
  look_at_page_cache_of(models);
}

void Engine::Impl::look_at_page_cache_of(const std::vector<ModelId>& models) {
  std::vector<Files> all;
  for (const ModelId model : models) {
    const Catalog::Entry& entry = catalog_.at(model);
    if (entry.listed && entry.file.problem.empty()) {
      all.push_back(files_of(model, entry.file, config_->memory.without));
    }
  }
  looking_at_page_cache_ = true;
  worker_.run([this, all = std::move(all), alive = alive_] {
    const auto begun = Clock::now();
    const auto seen = attempt([&] { return cached_shares(all); });
    const Duration took = Clock::now() - begun;
    boost::asio::post(io_, [this, seen, took, alive] {
      if (!*alive) {
        return;
      }
      looking_at_page_cache_ = false;
      next_page_cache_look_ = now() + kLooksPart * took;
      if (!seen) {
        return;
      }
      for (const auto& [model, share] : *seen) {
        costs_[model].page_cache_share = share;
        tune(model);
      }
    });
  });
}

// Tells the core what moved; the rest keeps the figures it knows.
void Engine::Impl::tune(ModelId model) {
  const Catalog::Entry& entry = catalog_.at(model);
  if (!entry.listed || !entry.file.problem.empty()) {
    return;
  }
  const ModelCosts before = costs_[model];
  ModelCosts fresh = costs_of(entry.file);
  core::event::SpecTuned tuned;
  tuned.model = model;
  if (is_other_reload(before.reload, fresh.reload)) {
    tuned.reload = fresh.reload;
  } else {
    fresh.reload = before.reload;
  }
  if (is_news(before.longest_answer, fresh.longest_answer)) {
    tuned.longest_answer = fresh.longest_answer;
  } else {
    fresh.longest_answer = before.longest_answer;
    fresh.longest_answer_measured = before.longest_answer_measured;
  }
  costs_[model] = std::move(fresh);
  if (tuned.reload || tuned.longest_answer) {
    feed(tuned);
  }
}

void Engine::Impl::tune_all() {
  samples_ = {};
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    const Catalog::Entry& entry = catalog_.at(ModelId(i));
    if (!entry.listed || !entry.file.problem.empty() || entry.file.plan.command) {
      continue;
    }
    const KnownSpeeds speeds = known_speeds(speeds_, measurement_key(entry.file));
    if (speeds.decode) {
      samples_.decode.push_back({entry.file.file_size, *speeds.decode});
    }
    if (speeds.prefill) {
      samples_.prefill.push_back({entry.file.file_size, *speeds.prefill});
    }
  }
  for (std::uint32_t i = 0; i < catalog_.size(); ++i) {
    tune(ModelId(i));
  }
}

}  // namespace hf::engine
