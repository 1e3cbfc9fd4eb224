#pragma once
// A model's place on the cards, from its header and the options it runs with: what it needs there
// (gguf/cost.h), where it goes (placement.h), and what the engine is told (RunPlan). Pure; at start
// or on the worker thread.

#include "engine/model_file.h"
#include "engine/placement.h"
#include "gguf/cost.h"
#include "gguf/header.h"

namespace hf::engine {

// The driver's context and the kernels loaded into it: "120-550 MB depending on GPU" (llama.cpp,
// pull request 20595). An estimate of the upper end; what the driver tells of running children
// corrects it.
constexpr Bytes kDriverContext{550'000'000};

// `projector`: bytes of the projector's weights and of what it computes with; 0: none.
DeviceNeed device_need(const gguf::Header& header, gguf::RunOptions options, Bytes projector);

struct OnCards {
  core::Footprint bytes;  // domain 0 is empty
  bool fit = true;        // false: more layers are configured than these cards can ever hold
};

// Fills in the plan's cards. Requires: `room` counts cards. `before`: the same model's plan until
// now, or null.
OnCards place_on_cards(RunPlan& plan, const config::ModelConfig& settings, const DeviceNeed& need,
                       const CardRoom& room, const RunPlan* before);

// Adds (or takes away, with -1) a model's bytes to what is placed on each card.
void count_in(CardRoom& room, const ModelFile& file, int sign);

}  // namespace hf::engine
