// Cards: found at the start, looked at every second, each with a budget of its own.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

#include "base/assert.h"
#include "base/units.h"
#include "engine/card_plan.h"
#include "engine/impl.h"

namespace hf::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// nvidia-smi takes up to two seconds a card to wake a driver that is not kept awake.
constexpr seconds kFirstLook{30};
constexpr milliseconds kLookPeriod{1000};
// While somebody's memory is waited for.
constexpr milliseconds kLeavingPeriod{100};
// A look that takes longer is told: the figures of the cards are old then.
constexpr seconds kSilence{10};

// A wish for layers on cards that comes to nothing, or whose bytes nobody counts.
void warn_of_useless_layers(const config::Config& config, const char* why) {
  const auto wishes = [](const config::ModelConfig& model) {
    return model.gpu_layers && model.gpu_layers->count != 0;
  };
  std::vector<std::string> names;
  for (const config::ModelConfig& model : config.models) {
    if (wishes(model)) {
      names.push_back(model.name);
    }
  }
  if (names.empty() && wishes(config.defaults)) {
    names.emplace_back("[defaults]");
  }
  for (const std::string& name : names) {
    spdlog::warn("gpu_layers of {} changes nothing in the budget: {}", name, why);
  }
}

// One look at the cards from their thread: which processes to ask about, by the pids of children,
// and what belongs to each command.
struct CardLook {
  std::vector<int> pids;
  std::map<int, std::vector<int>> trees;
  readers::GpuReading reading{};
};

CardLook look_once(readers::GpuReaders& readers, CardLook look) {
  for (auto& [root, tree] : look.trees) {
    tree = readers::process_tree(root);
    look.pids.insert(look.pids.end(), tree.begin(), tree.end());
  }
  look.reading = readers.read(look.pids);
  for (auto& [root, tree] : look.trees) {
    for (const int pid : readers::process_tree(root)) {
      if (std::find(tree.begin(), tree.end(), pid) == tree.end()) {
        tree.push_back(pid);
      }
    }
  }
  return look;
}

}  // namespace

// At the start, before anything is placed. Without a card that the engine can use gpu_ stays empty,
// unless the driver hangs: then the end of the process must know of the thread in it.
void Engine::Impl::find_cards() {
  auto state = std::make_unique<GpuState>(io_);
  state->readers = std::make_shared<readers::GpuReaders>(gpu_sources(config_->memory));
  state->cards = first_look(*state);
  if (!state->cards.empty() || !state->end()) {
    gpu_ = std::move(state);
  }
}

std::vector<CardState> Engine::Impl::first_look(GpuState& state) {
  auto answer = std::make_shared<std::promise<readers::GpuReading>>();
  std::future<readers::GpuReading> reading_to_come = answer->get_future();
  state.thread.run([readers = state.readers, answer] {
    const auto reading = attempt([&] { return readers->read({}); });
    answer->set_value(reading ? *reading : readers::GpuReading{});
  });
  if (reading_to_come.wait_for(kFirstLook) != std::future_status::ready) {
    spdlog::warn("the driver of the cards did not answer within {}; no card is counted or used",
                 format_duration(kFirstLook));
    return {};
  }
  const readers::GpuReading reading = reading_to_come.get();
  for (const std::string& problem : reading.problems) {
    spdlog::warn("cards: {}", problem);
  }
  if (reading.gpus.empty()) {
    warn_of_useless_layers(*config_, "no card of this machine is counted");
    return {};
  }
  std::vector<std::string> devices;
  if (!traits_.path.empty()) {
    auto listed =
        process::probe_devices(traits_, child_environment(CardOrder::OfTheBus), kFirstLook);
    if (!listed) {
      spdlog::warn("cards: {}; the engine uses none", listed.error().message);
    } else if (listed->empty()) {
      warn_of_useless_layers(*config_, "this engine computes on the CPU only");
    }
    devices = listed ? std::move(*listed) : std::vector<std::string>{};
  }
  FoundCards found = engine::find_cards(reading, devices, visible_cards_of_environment(),
                                        commands_use_cards(*config_));
  for (const std::string& remark : found.remarks) {
    spdlog::warn("cards: {}", remark);
  }
  std::vector<CardState> cards;
  for (Card& card : found.cards) {
    const readers::Gpu& gpu = *find(reading, card);
    CardState seen;
    seen.used = gpu.used;
    seen.look = others_on(gpu, {}, {});
    seen.others = seen.look.counted();
    seen.others_at_start = seen.others;
    seen.card = std::move(card);
    cards.push_back(std::move(seen));
  }
  return cards;
}

void Engine::Impl::tell_card_budgets() {
  for (std::size_t i = 0; has_cards() && i < gpu_->cards.size(); ++i) {
    const CardState& state = gpu_->cards[i];
    const CardBudget terms =
        card_budget(state.card.total, state.others, config_->memory.gpu_budget);
    if (terms.budget != gpu_->told.in[domain_of(i)]) {
      spdlog::info("budget of {} ({}): {}", state.card.name, state.card.title, arithmetic(terms));
      gpu_->told.in[domain_of(i)] = terms.budget;
    }
  }
}

// What a model is charged on each card: as predicted, or what a child of the same kind was seen to
// hold or lacked, but never so much that a model which was predicted to fit is refused: by the room
// that models are placed by.
core::Footprint Engine::Impl::on_cards(const ModelFile& file, const core::Footprint& raised) const {
  core::Footprint bytes = file.on_cards;
  const auto known = measurements_.find(measurement_key(file));
  const CardRoom room = card_room(gpu_.get(), *config_);
  for (std::size_t i = 0; i < room.places.size(); ++i) {
    Bytes& predicted = bytes.in[domain_of(i)];
    if (predicted.count == 0) {
      continue;
    }
    Bytes need = raised.in[domain_of(i)];
    if (known != measurements_.end() && !file.plan.command) {
      const auto seen = known->second.card_high_water.find(room.places[i].card.name);
      need = seen == known->second.card_high_water.end() ? need : std::max(need, seen->second);
    }
    predicted = std::max(predicted, std::min(need, room.places[i].budget));
  }
  return bytes;
}

// What caps a charge has moved.
void Engine::Impl::tell_footprint(ModelId model) {
  const Catalog::Entry& entry = catalog_.at(model);
  if (entry.listed && entry.file.problem.empty()) {
    feed_footprint(model);
  }
}

void Engine::Impl::feed_footprint(ModelId model) {
  core::event::SpecTuned tuned;
  tuned.model = model;
  tuned.footprint = footprint_of(catalog_.at(model).file);
  feed(tuned);
}

void Engine::Impl::start_card_timer() {
  if (!has_cards()) {
    return;
  }
  gpu_->timer.expires_after(gpu_->leaving.empty() ? kLookPeriod : kLeavingPeriod);
  gpu_->timer.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive || stopped_) {
      return;
    }
    look_at_cards();
    end_waits(nullptr);
    start_card_timer();
  });
}

bool Engine::Impl::end_threads() {
  if (!gpu_ || gpu_->end()) {
    return true;
  }
  spdlog::warn("the driver of the cards has not answered for {}; its thread is left behind",
               format_duration(kDriverEnd));
  return false;
}

void Engine::Impl::look_at_cards() {
  if (gpu_->looking) {
    if (now() - gpu_->look_began > kSilence && !std::exchange(gpu_->silence_told, true)) {
      spdlog::warn("the driver of the cards has not answered for {}; their figures are old",
                   format_duration(kSilence));
    }
    return;
  }
  gpu_->looking = true;
  gpu_->look_began = now();
  CardLook look;
  for (auto& [model, running] : running_) {
    if (running.pid != 0) {
      look.pids.push_back(running.pid);
      running.ready_before_look = running.child->ready();
      if (running.is_command()) {
        look.trees.emplace(running.pid, std::vector<int>{});
      }
    }
  }
  // This may come back when the engine is gone: until it is on the loop it uses what it owns.
  gpu_->thread.run([this, readers = gpu_->readers, back = gpu_->back, look, alive = alive_] {
    const auto seen = attempt([&] { return look_once(*readers, look); });
    back->post([this, seen, alive] {
      if (!*alive) {
        return;
      }
      gpu_->looking = false;
      gpu_->silence_told = false;
      if (seen && !stopped_) {
        note_trees(seen->trees);
        take_card_reading(seen->reading);
      }
    });
  });
}

// Whoever held something at the look was there before or is there after it.
void Engine::Impl::note_trees(const std::map<int, std::vector<int>>& trees) {
  for (auto& [model, running] : running_) {
    const auto tree = trees.find(running.pid);
    if (running.pid != 0 && tree != trees.end() && !tree->second.empty()) {
      running.tree = tree->second;
    }
  }
}

// Children, those whose memory is waited for, and those that have just died.
std::vector<OurProcess> Engine::Impl::our_processes(std::size_t domain) const {
  std::vector<OurProcess> processes;
  for (const auto& [model, running] : running_) {
    const core::State state = scheduler_->view(model).state;
    const bool serves = state == core::State::Ready || state == core::State::Gated;
    const int pid = running.pid != 0 ? running.pid : running.reaped_pid;
    if (pid != 0) {
      processes.push_back(
          {pid, running.reserved.in[domain], serves && running.pid != 0, running.tree});
    }
  }
  for (const Ghost& ghost : gpu_->ghosts) {
    processes.push_back({ghost.pid, ghost.reserved.in[domain], false, ghost.tree});
  }
  return processes;
}

void Engine::Impl::take_card_reading(const readers::GpuReading& reading) {
  std::erase_if(gpu_->ghosts, [this](const Ghost& ghost) { return ghost.until <= now(); });
  for (std::size_t i = 0; i < gpu_->cards.size(); ++i) {
    CardState& state = gpu_->cards[i];
    const readers::Gpu* gpu = find(reading, state.card);
    if (std::exchange(state.missing, gpu == nullptr) != state.missing) {
      spdlog::warn("{} {}", state.card.name,
                   state.missing ? "is gone: its figures are old" : "is back");
    }
    if (gpu == nullptr) {
      continue;
    }
    state.used = gpu->used;
    state.look = others_on(*gpu, our_processes(domain_of(i)), state.look);
    state.others = state.look.counted();
    for (auto& [model, running] : running_) {
      Bytes& held = running.cards_now.in[domain_of(i)];
      held = running.pid == 0 ? Bytes(0) : held_on(*gpu, running.processes()).value_or(Bytes(0));
    }
  }
  measure_on_cards();
  end_waits(&reading);
  const core::Footprint before = gpu_->told;
  tell_card_budgets();
  if (gpu_->told != before && !scheduler_->shutting_down()) {
    feed(core::event::LimitsChanged{limits_of(*config_)});
    follow_wishes();  // a pin that a neighbour was in the way of may fit now
  }
}

// What each child was seen to hold on the cards at most.
void Engine::Impl::measure_on_cards() {
  std::vector<core::event::Measured> news;
  for (auto& [model, running] : running_) {
    const core::Footprint most = max_of(running.cards_seen, running.cards_now);
    if (most != running.cards_seen) {
      running.cards_seen = most;
      news.push_back({model, running.generation, most});
    }
  }
  for (const core::event::Measured& measured : news) {
    feed(measured);
  }
}

// What the child held at most on each card is what its next generation is charged, if it is more
// than was predicted.
void Engine::Impl::learn_cards(ModelId model, const Running& running) {
  bool news = false;
  for (std::size_t i = 0; has_cards() && i < gpu_->cards.size(); ++i) {
    const Bytes seen = running.cards_seen.in[domain_of(i)];
    if (seen.count > 0) {
      Bytes& most = measurements_[running.key].card_high_water[gpu_->cards[i].card.name];
      news = news || seen > most;
      most = std::max(most, seen);
    }
  }
  if (!news) {
    return;
  }
  save_measurement(running.key);
  if (running.key == measurement_key(catalog_.at(model).file)) {
    feed_footprint(model);
  }
}

}  // namespace hf::engine
