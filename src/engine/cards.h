#pragma once
// The cards that models can be placed on: which of the machine's cards the engine can use, under
// which name it takes them, and how many bytes of each are ours to give away. Why apart from the
// readers: a reading says what there is, and only the engine program and the environment decide
// what of it a child can see. Pure functions on plain values; any thread.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "config/config.h"
#include "core/footprint.h"
#include "readers/gpu.h"

namespace hf::engine {

// More cards than the ledger has domains for are left unused.
constexpr std::size_t kMostCards = core::kDomains - 1;

// Card i of a list is memory domain i + 1; domain 0 is host RAM.
constexpr std::size_t domain_of(std::size_t card) {
  return card + 1;
}

struct Card {
  std::string name;    // "cuda0": in /health, the log and the history
  std::string device;  // "CUDA0": what the engine's --device takes; "": only commands can use it
  std::string title;   // "NVIDIA H200": for people
  readers::GpuKind kind = readers::GpuKind::Nvidia;
  std::string key;  // finds it again in a later reading
  Bytes total;

  bool operator==(const Card&) const = default;
};

// What a reading calls a card in all its readings: its UUID, else its place on the bus, else its
// number.
std::string key_of(const readers::Gpu& gpu);
const readers::Gpu* find(const readers::GpuReading& reading, const Card& card);

// Variables that hide cards from the children, as they are set for us; nullopt: not set.
struct VisibleCards {
  std::optional<std::string> cuda;    // CUDA_VISIBLE_DEVICES
  std::optional<std::string> hip;     // HIP_VISIBLE_DEVICES
  std::optional<std::string> rocr;    // ROCR_VISIBLE_DEVICES
  std::optional<std::string> vulkan;  // GGML_VK_VISIBLE_DEVICES
};
VisibleCards visible_cards_of_environment();

struct FoundCards {
  std::vector<Card> cards;
  std::vector<std::string> remarks;  // for the log: what the engine can use and we cannot count
};

// `devices`: the names that the engine lists ("CUDA0", "ROCm1", "Vulkan0"). CUDAn is the n-th
// visible NVIDIA card in the order of the bus (children are told to count so), ROCmn the n-th
// visible AMD card. Other names can be understood only where there is one card and one device.
// `others`: visible cards that the engine does not list are found as well, because commands use
// them; they come last.
FoundCards find_cards(const readers::GpuReading& reading, const std::vector<std::string>& devices,
                      const VisibleCards& visible, bool others = false);
// Whether a model of kind command declares bytes on cards.
bool commands_use_cards(const config::Config& config);

// The arithmetic of a card's budget, term by term:
//   budget = min(configured, max(0, total − others − reserve))
struct CardBudget {
  Bytes total;
  Bytes others;
  Bytes reserve;  // max(512 MiB, 5 %): the driver's own share, and what models grow unseen
  std::optional<Bytes> configured;
  Bytes budget;

  bool operator==(const CardBudget&) const = default;
};
CardBudget card_budget(Bytes total, Bytes others, std::optional<Bytes> configured);
// "76.0 GiB = 80.0 GiB - 0 B used by others - 4.0 GiB in reserve".
std::string arithmetic(const CardBudget& terms);

// One of our processes that may hold memory of a card, with those that it has started.
struct OurProcess {
  int pid = 0;
  Bytes reserved;       // on that card
  bool steady = false;  // it serves: it neither loads nor ends, and what it holds does not fall
  std::vector<int> others{};  // of the same child: the workers of a command

  [[nodiscard]] std::vector<int> pids() const;
};

// What processes other than ours hold, and what the next look must know of this one.
struct OthersOnCard {
  Bytes others;
  Bytes unlisted_used;        // by them and by those of ours that the driver does not list
  std::vector<int> unlisted;  // those of ours, if all of them are steady; else empty
  // The larger unlisted_used of this look and the one before, if `unlisted` was the same at both:
  // a fall of it is one of the others.
  std::optional<Bytes> level;
  // Rises of the level that raised `others` by nothing: ours may have grown, or others within what
  // ours have not taken up. A fall takes these back first.
  Bytes absorbed;

  // In steps of 64 MiB, rounded up, so that a flicker is no news.
  [[nodiscard]] Bytes counted() const;
};

// The driver may not list ours (in a container it knows them by other numbers): then an unlisted
// one is taken to hold what was reserved for it, and the others no less than `before`, because a
// child that has only just started holds less. While the same ones serve, what is in use falls only
// because others give memory back; two looks must agree, because what a child held that has just
// died may be gone from the card before we hear of its death.
OthersOnCard others_on(const readers::Gpu& gpu, const std::vector<OurProcess>& ours,
                       const OthersOnCard& before);

// What the driver says that the process holds; nullopt: it is not listed, or without a figure.
std::optional<Bytes> held_on(const readers::Gpu& gpu, int pid);
// By all of them together; nullopt: none is listed, or one without a figure.
std::optional<Bytes> held_on(const readers::Gpu& gpu, const std::vector<int>& pids);
bool lists(const readers::Gpu& gpu, int pid);

}  // namespace hf::engine
