#include "engine/card_plan.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace hf::engine {
namespace {

// The one card that a model was on.
std::optional<std::size_t> only_card(const RunPlan* plan, const CardRoom& room) {
  if (plan == nullptr || plan->cards.size() != 1) {
    return std::nullopt;
  }
  for (std::size_t card = 0; card < room.places.size(); ++card) {
    if (room.places[card].card.device == plan->cards.front().device) {
      return card;
    }
  }
  return std::nullopt;
}

}  // namespace

DeviceNeed device_need(const gguf::Header& header, gguf::RunOptions options, Bytes projector) {
  DeviceNeed need;
  need.layers.assign(std::size_t{header.block_count} + 2, Bytes(0));
  for (std::size_t layers = 1; layers < need.layers.size(); ++layers) {
    options.gpu_layers = static_cast<std::uint32_t>(layers);
    const gguf::Cost cost = gguf::predict_cost(header, options);
    need.layers[layers] = std::max(need.layers[layers - 1], cost.device);
    need.each = std::max(need.each, kDriverContext + cost.device_compute);
  }
  need.first = projector;
  // A large batch is computed on the card even where the weights are not: a layer at a time is
  // copied there.
  for (const Bytes layer : header.tensors.layers) {
    need.partial = std::max(need.partial, layer);
  }
  return need;
}

OnCards place_on_cards(RunPlan& plan, const config::ModelConfig& settings, const DeviceNeed& need,
                       const CardRoom& room, const RunPlan* before) {
  HF_ASSERT(room.counted, "no card to place a model on");
  PlacementWish wish;
  wish.gpus = settings.gpus;
  wish.before = only_card(before, room);
  if (settings.gpu_layers) {
    wish.layers = settings.gpu_layers->count == config::GpuLayers::kAll
                      ? need.all()
                      : settings.gpu_layers->count;
  }
  const Placement placement = place(need, wish, room);
  plan.cards_counted = true;
  plan.gpu_layers = placement.layers;
  plan.cards.clear();
  for (const CardShare& share : placement.shares) {
    plan.cards.push_back({room.places[share.card].card.device, share.layers});
  }
  return {placement.on_cards, placement.fits};
}

void count_in(CardRoom& room, const ModelFile& file, int sign) {
  if (!file.is_model || !file.problem.empty()) {
    return;
  }
  for (std::size_t card = 0; card < room.places.size(); ++card) {
    room.places[card].placed += sign * file.on_cards.in[domain_of(card)];
  }
}

}  // namespace hf::engine
