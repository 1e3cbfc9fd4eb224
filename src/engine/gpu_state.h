#pragma once
// What the engine keeps of the cards while it runs. A file of its own because most machines have
// none of it. Loop thread, but for `readers`, which only jobs of `thread` use.

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "config/config.h"
#include "engine/cards.h"
#include "engine/engine.h"
#include "engine/placement.h"
#include "engine/way_back.h"
#include "engine/worker_thread.h"
#include "process/child.h"
#include "readers/gpu_readers.h"

namespace hf::engine {

// After its reap, a child's memory on a card is waited for so long; the core's stop deadline has
// room for it.
constexpr std::chrono::seconds kDriverWait{5};

struct CardState {
  Card card;
  Bytes used;             // as of the latest look, by everybody
  Bytes others;           // of it, by processes that are not ours, as counted
  OthersOnCard look;      // what the latest look knew of them
  Bytes others_at_start;  // models are placed by these, so that they stay where they are
  bool missing = false;   // the latest look did not find it; the figures are old
};

// A child that was reaped, whose memory on its cards the driver has not reported back yet.
struct Leaving {
  ModelId model;
  Generation generation;
  process::ChildExit exit;
  int pid = 0;
  core::Footprint used_before;  // of each card it was seen on, by everybody, while it lived
  TimePoint reaped;
  TimePoint until;
  std::vector<int> tree{};  // of a command
};

// A child that died unasked: nobody waits for its memory, but it is not somebody else's either.
struct Ghost {
  int pid = 0;
  core::Footprint reserved;  // what it may still hold, where the driver does not list it
  TimePoint until;
  std::vector<int> tree{};  // of a command
};

// A driver that answers at all does so in a fraction of a second; the end of the server waits no
// longer for one that may never.
constexpr std::chrono::seconds kDriverEnd{2};

struct GpuState {
  explicit GpuState(boost::asio::io_context& io) : timer(io), back(std::make_shared<WayBack>(io)) {}
  GpuState(const GpuState&) = delete;
  GpuState& operator=(const GpuState&) = delete;
  ~GpuState() { end(); }

  // No look comes back any more. False: the driver hangs, and the thread was left behind in it.
  bool end();

  std::vector<CardState> cards;  // card i is domain i + 1
  std::shared_ptr<readers::GpuReaders> readers;
  std::vector<Leaving> leaving;
  std::vector<Ghost> ghosts;
  core::Footprint told;  // budgets of the cards, as the core was told
  bool looking = false;  // never more than one look is under way
  TimePoint look_began;
  bool silence_told = false;
  boost::asio::steady_timer timer;
  std::shared_ptr<WayBack> back;  // what its jobs use of the engine
  // Of its own: a driver in trouble blocks for seconds or for ever, and then the history and new
  // files must not wait for it.
  WorkerThread thread{kDriverEnd};
};

// Where cards are looked for, as configured.
readers::GpuSources gpu_sources(const config::MemoryConfig& memory);

// All of these take null for a machine on which no card is counted.

// Budgets in the ledger's domains; host RAM is not among them.
core::Footprint card_budgets(const GpuState* gpu, const config::Config& config);
// What they would be more, if others used no more than what models are placed by.
core::Footprint taken_of_cards(const GpuState* gpu, const config::Config& config);
// Where models can be placed, with nothing on the cards. By what others used at the start: a model
// must not move because somebody else came or went for a while.
CardRoom card_room(const GpuState* gpu, const config::Config& config);
// What others use of each card now, and the places that there would be if models were placed by
// that: for a reload, the moment at which they may move to where there is room.
std::vector<Bytes> others_now(const GpuState* gpu);
CardRoom card_room(const GpuState* gpu, const config::Config& config,
                   const std::vector<Bytes>& others);
void place_by(GpuState* gpu, const std::vector<Bytes>& others);
std::vector<DomainStatus> card_domains(const GpuState* gpu);
std::vector<std::string> card_warnings(const GpuState* gpu);
// " on cuda0"; nothing for host RAM.
std::string on_domain(const GpuState* gpu, std::size_t domain);

}  // namespace hf::engine
