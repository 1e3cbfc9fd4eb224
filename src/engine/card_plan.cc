#include "engine/card_plan.h"

#include <algorithm>
#include <utility>

namespace hf::engine {
namespace {

// The projector's weights, and as much again for its activations.
constexpr std::int64_t kProjectorTimes = 2;

Bytes of_layers(const gguf::Cost& cost) {
  return cost.device.count > 0 ? cost.device - cost.compute : Bytes(0);
}
Bytes of_computing(const gguf::Cost& cost) {
  return cost.compute;
}

// The one card that a model was on.
std::optional<std::size_t> only_card(const ModelFile* file, const CardRoom& room) {
  if (file == nullptr || file->plan.cards.size() != 1) {
    return std::nullopt;
  }
  for (std::size_t card = 0; card < room.places.size(); ++card) {
    if (room.places[card].card.device == file->plan.cards.front().device) {
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
    need.layers[layers] = std::max(need.layers[layers - 1], of_layers(cost));
    need.each = std::max(need.each, kDriverContext + of_computing(cost));
  }
  need.first = kProjectorTimes * projector;
  // A large batch is computed on the card even where the weights are not: a layer at a time is
  // copied there.
  for (const Bytes layer : header.tensors.layers) {
    need.partial = std::max(need.partial, layer);
  }
  return need;
}

void place_on_cards(ModelFile& file, const DeviceNeed& need, const CardRoom& room,
                    const ModelFile* before) {
  if (!room.counted) {
    return;
  }
  const config::ModelConfig& settings = file.source.settings;
  PlacementWish wish;
  wish.gpus = settings.gpus;
  wish.before = only_card(before, room);
  if (settings.gpu_layers) {
    wish.layers = settings.gpu_layers->count == config::GpuLayers::kAll
                      ? need.all()
                      : settings.gpu_layers->count;
  }
  const Placement placement = place(need, wish, room);
  file.on_cards = placement.on_cards;
  file.fits_cards = placement.fits;
  file.plan.cards_counted = true;
  file.plan.gpu_layers = placement.layers;
  file.plan.cards.clear();
  for (const CardShare& share : placement.shares) {
    file.plan.cards.push_back({room.places[share.card].card.device, share.layers});
  }
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
