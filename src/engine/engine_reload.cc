// A new configuration beside running models: what changed is taken over, everything else goes on.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "config/difference.h"
#include "engine/impl.h"

namespace hf::engine {

void Engine::Impl::reload(std::shared_ptr<const config::Config> wanted, ReloadCallback callback) {
  reloads_.push_back({std::move(wanted), std::move(callback)});
  boost::asio::post(io_, [this, alive = alive_] {
    if (*alive) {
      next_reload();
    }
  });
}

void Engine::Impl::next_reload() {
  while (!scanning_ && !reloads_.empty()) {
    PendingReload reload = std::move(reloads_.front());
    reloads_.pop_front();
    if (scheduler_->shutting_down()) {
      reload.callback(fail(Errc::Unavailable, "the server is shutting down"));
      continue;
    }
    Result<config::Config> adopted = config::adopt(*config_, *reload.wanted);
    if (!adopted) {
      reload.callback(fail(std::move(adopted.error())));
      continue;
    }
    scanning_ = true;
    reload.config = std::make_shared<const config::Config>(std::move(*adopted));
    reload.budget = budget_of(*reload.config);
    worker_.run([this, reload = std::move(reload), known = known_files(), running_budget = budget_,
                 alive = alive_] {
      const bool again = reload.budget != running_budget;
      auto scan = std::make_shared<Scan>(scan_models(*reload.config, known, reload.budget, again));
      boost::asio::post(io_, [this, reload, scan, alive] {
        if (*alive) {
          scanning_ = false;
          apply_reload(reload, std::move(*scan));
          next_reload();
        }
      });
    });
  }
}

void Engine::Impl::apply_reload(const PendingReload& reload, Scan scan) {
  if (scheduler_->shutting_down()) {
    return reload.callback(fail(Errc::Unavailable, "the server is shutting down"));
  }
  Reloaded result = result_of(reload, scan);
  note_reload(result, config::difference(*config_, *reload.wanted).models);
  const core::Limits before = limits_of(*config_);
  // The larger of two budgets counts while models change, so that nobody who waits is told that it
  // can never fit between the one and the other.
  const bool grows = reload.budget >= budget_;
  config_ = reload.config;
  budget_ = reload.budget;
  const core::Limits limits = limits_of(*config_);
  if (grows && limits != before) {
    feed(core::event::LimitsChanged{limits});
  }
  apply_scan(std::move(scan), *config_);
  if (!grows) {
    feed(core::event::LimitsChanged{limits});
  }
  result.config = config_;
  reload.callback(std::move(result));
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
