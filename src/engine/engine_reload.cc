// A new configuration beside running models: what changed is taken over, everything else goes on.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/difference.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

constexpr const char* kWorkFailed = "the reload failed, probably for want of memory";

}  // namespace

void Engine::Impl::reload(ConfigReader reader, ReloadCallback callback) {
  reloads_.push_back({std::move(reader), std::move(callback)});
  boost::asio::post(io_, [this, alive = alive_] {
    if (*alive) {
      next_reload();
    }
  });
}

// The callback holds a request and never leaves the loop: the worker gets values only.
void Engine::Impl::next_reload() {
  if (scanning_ || reloads_.empty()) {
    return;
  }
  scanning_ = true;
  reloading_ = std::move(reloads_.front());
  reloads_.pop_front();
  worker_.run([this, read = std::move(reloading_->reader.read), alive = alive_] {
    const auto wanted = attempt(read);
    boost::asio::post(io_, [this, wanted, alive] {
      if (*alive) {
        adopt(wanted ? std::move(*wanted) : fail(Errc::Internal, kWorkFailed));
      }
    });
  });
}

void Engine::Impl::adopt(Result<config::Config> wanted) {
  if (!wanted) {
    return end_reload(fail(std::move(wanted.error())));
  }
  Result<config::Config> adopted = config::adopt(*config_, *wanted);
  if (!adopted) {
    return end_reload(fail(std::move(adopted.error()).with_context(reloading_->reader.name)));
  }
  reloading_->wanted = std::make_shared<const config::Config>(std::move(*wanted));
  reloading_->config = std::make_shared<const config::Config>(std::move(*adopted));
  reloading_->budget = budget_of(*reloading_->config);
  reloading_->others = others_now(gpu_.get());
  const CardRoom cards = card_room(gpu_.get(), *reloading_->config, reloading_->others);
  const bool again = reloading_->budget != budget_ || !(cards == card_room(gpu_.get(), *config_));
  worker_.run([this, config = reloading_->config, budget = reloading_->budget,
               known = known_files(), again, cards, alive = alive_] {
    const auto scan = attempt([&] { return scan_models(*config, known, budget, again, cards); });
    boost::asio::post(io_, [this, scan, alive] {
      if (*alive && scan) {
        apply_reload(std::move(*scan));
      } else if (*alive) {
        end_reload(fail(Errc::Internal, kWorkFailed));
      }
    });
  });
}

void Engine::Impl::end_reload(Result<Reloaded> result) {
  const ReloadCallback callback = std::move(reloading_->callback);
  reloading_.reset();
  scanning_ = false;
  callback(std::move(result));
  next_reload();
}

void Engine::Impl::apply_reload(Scan scan) {
  const PendingReload& reload = *reloading_;
  if (scheduler_->shutting_down()) {
    return end_reload(fail(Errc::Unavailable, "the server is shutting down"));
  }
  if (!scan.found.complete && reload.config->models_dir != config_->models_dir) {
    // All models of the present folder would go, and none come.
    warn_once(scan.found.warnings);
    return end_reload(fail(Error(Errc::InvalidArgument, "models_dir: cannot be read")
                               .with_context(reload.reader.name)));
  }
  Reloaded result = result_of(reload, scan);
  note_reload(result, config::difference(*config_, *reload.wanted).models);
  const core::Limits before = limits_of(*config_);
  // The larger of two budgets counts while models change, so that nobody who waits is told that it
  // can never fit between the one and the other.
  const bool same = !reload.config->memory.budget && reload.budget == budget_;
  // What was yielded to others stays so when nothing about the budget changed.
  const Bytes budget = same ? yielding_.current() : reload.budget;
  const bool grows = budget >= yielding_.current();
  config_ = reload.config;
  budget_ = reload.budget;
  if (!same) {
    yielding_.reset(budget_);
  }
  const core::Limits limits = limits_of(*config_);
  if (grows && limits != before) {
    feed(core::event::LimitsChanged{limits});
  }
  apply_scan(std::move(scan), *config_);
  // Only now: who waited was placed by the old figures, and could be told that it never fits.
  place_by(gpu_.get(), reload.others);
  for (std::uint32_t i = 0; has_cards() && i < catalog_.size(); ++i) {
    tell_footprint(ModelId(i));
  }
  const core::Limits placed = limits_of(*config_);
  if (!grows || placed != limits) {
    feed(core::event::LimitsChanged{placed});
  }
  result.config = config_;
  end_reload(std::move(result));
}

Reloaded Engine::Impl::result_of(const PendingReload& reload, const Scan& scan) const {
  config::Difference difference = config::difference(*config_, *reload.wanted);
  Reloaded result;
  result.settings = std::move(difference.settings);
  result.restart_needed = std::move(difference.restart_needed);
  for (const ModelFile& file : scan.changed) {
    const std::string& name = file.source.settings.name;
    switch (change_of(file)) {
      case Change::Added:
        result.added.push_back(name);
        break;
      case Change::Changed:
        result.changed.push_back(name);
        break;
      case Change::Restarted:
        result.restarted.push_back(name);
        break;
      case Change::None:
        break;
    }
  }
  result.removed = names_of(missing_in(scan.found, *reload.config));
  return result;
}

void Engine::Impl::note_reload(const Reloaded& result, const std::vector<std::string>& model_keys) {
  store::JournalLine line(monotonic_ms(), "reload");
  line.texts("added", result.added).texts("removed", result.removed);
  line.texts("restarted", result.restarted).texts("changed", result.changed);
  line.texts("settings", result.settings).texts("model_settings", model_keys);
  write(line.texts("restart_needed", result.restart_needed));
}

}  // namespace hf::engine
