// What the configuration wants loaded without being asked: pinned models and preloads.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/units.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

std::string unpinnable(const CommandResult& refused) {
  using core::action::AnswerCode;
  if (refused.code == AnswerCode::CardTaken) {
    return "other programs hold the memory that it needs" + refused.card;
  }
  return refused.code == AnswerCode::TooLarge ? "it is larger than the whole memory budget"
                                              : "it does not fit beside the other pinned models";
}

// A load that failed may have evicted others, and writes the engine's last words into the log: it
// is tried again soon, but not for ever as often.
constexpr Duration kFirstPause = std::chrono::seconds(5);
constexpr Duration kLongestPause = std::chrono::minutes(10);

}  // namespace

void Engine::Impl::pin_by_hand(ModelId model, bool pinned, CommandCallback callback) {
  const std::uint64_t number = next_command();
  command(core::event::Pin{number, model, pinned}, number,
          [this, model, pinned, callback = std::move(callback)](CommandResult result) {
            if (result.code == core::action::AnswerCode::Done) {
              if (pinned) {
                pinned_by_hand_.insert(model);
                tell_raised();
              } else {
                pinned_by_hand_.erase(model);
                pins_wanted_.erase(model);
                follow_wishes();  // its bytes may be those that another pin lacked
              }
            }
            callback(std::move(result));
          });
}

// The model came, or its settings changed from `before`. Unpins at once, pins with follow_wishes().
void Engine::Impl::note_wishes(ModelId model, const config::ModelConfig& before,
                               const config::ModelConfig& now) {
  if (now.pin && !before.pin) {
    pins_wanted_.emplace(model, PinWish{});
  } else if (before.pin && !now.pin) {
    pins_wanted_.erase(model);
    unpin_configured(model);
  }
  if (now.preload && !before.preload) {
    preloads_.insert(model);
  }
}

// After all models of a look are known, so that a pin that went has made room for one that came. A
// pin that did not fit is tried again with each look, when a budget grew or another pin went; a
// load that failed after a while.
void Engine::Impl::follow_wishes() {
  // An unload takes a pin away, and with it the wish.
  std::erase_if(pins_wanted_, [this](const auto& entry) {
    return entry.second.pinned && !scheduler_->view(entry.first).pinned;
  });
  for (auto& [model, wish] : pins_wanted_) {
    if (wish.under_way || now() < wish.not_before) {
      continue;
    }
    wish.under_way = true;
    if (wish.pinned) {
      load_pinned(model);
    } else {
      pin_configured(model);
    }
  }
  preload_after_pins();
}

// A pinned model holds its bytes from the moment it is known and is loaded as soon as it can be.
void Engine::Impl::pin_configured(ModelId model) {
  if (!scheduler_->view(model).pinned) {
    pinned_by_hand_.erase(model);  // an unload took that pin away
  }
  ++pins_under_way_;
  const std::uint64_t number = next_command();
  command(
      core::event::Pin{number, model, true}, number, [this, model](const CommandResult& result) {
        const auto wish = pins_wanted_.find(model);
        if (wish == pins_wanted_.end()) {
          return end_of_pin();  // the file does not want it any more
        }
        if (result.code == core::action::AnswerCode::Done) {
          wish->second = PinWish{.under_way = true, .pinned = true};
          tell_raised();
          load_pinned(model);
        } else {
          wish->second.under_way = false;
          std::string why = unpinnable(result);
          if (wish->second.problem != why) {
            spdlog::warn("{} cannot be pinned: {}; it is tried again", catalog_.name(model), why);
            wish->second.problem = std::move(why);
          }
        }
        end_of_pin();
      });
}

void Engine::Impl::load_pinned(ModelId model) {
  ++pins_under_way_;
  self_.load(model, UserId(0), {}, [this, model](const Outcome& outcome) {
    const auto found = pins_wanted_.find(model);
    if (!outcome) {
      spdlog::warn("pinned model {} was not loaded: {}", catalog_.name(model),
                   outcome.error().message);
    }
    if (found != pins_wanted_.end() && outcome) {
      pins_wanted_.erase(found);
    } else if (found != pins_wanted_.end()) {
      PinWish& wish = found->second;
      wish.under_way = false;
      wish.problem = outcome.error().message;
      wish.pause = std::clamp(2 * wish.pause, kFirstPause, kLongestPause);
      wish.not_before = now() + std::max(wish.pause, outcome.error().retry_after);
    }
    end_of_pin();
  });
}

// A pin by hand survives: the file does not speak of it.
void Engine::Impl::unpin_configured(ModelId model) {
  if (pinned_by_hand_.contains(model)) {
    return;
  }
  const std::uint64_t number = next_command();
  command(core::event::Pin{number, model, false}, number,
          [this](const CommandResult&) { follow_wishes(); });
}

void Engine::Impl::end_of_pin() {
  --pins_under_way_;
  preload_after_pins();
}

// Pinned models first, then in the order of the file. The core starts each when its bytes are free
// and nobody waits.
void Engine::Impl::preload_after_pins() {
  if (pins_under_way_ > 0 || preloads_.empty()) {
    return;
  }
  // What neighbours took may come back, and then it is loaded.
  const core::Footprint budget = scheduler_->limits().budget + scheduler_->limits().taken;
  for (const std::string& name : config_->preload) {
    const auto model = catalog_.by_name(name);
    if (!model || !preloads_.contains(*model)) {
      continue;
    }
    const core::Footprint need = scheduler_->view(*model).estimate;
    if (!need.fits_in(budget)) {
      const std::size_t domain = core::tightest(need, budget);
      spdlog::warn("{} cannot be preloaded: it needs {}{}, the budget is {}", name,
                   format_bytes(need.in[domain]), on_domain(gpu_.get(), domain),
                   format_bytes(budget.in[domain]));
      continue;
    }
    feed(core::event::Preload{*model});
  }
  preloads_.clear();
}

}  // namespace hf::engine
