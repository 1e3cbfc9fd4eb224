#pragma once
// How a model is run, and what that costs: from its settings, its header and the budget. Apart from
// model_file, which opens files: this is pure. Any thread.

#include <optional>

#include "base/bytes.h"
#include "config/config.h"
#include "core/footprint.h"
#include "engine/command_line.h"
#include "engine/placement.h"
#include "gguf/cost.h"
#include "gguf/header.h"

namespace hf::engine {

constexpr int kLeastContext = 1024;

struct PlannedRun {
  RunPlan plan;
  gguf::Cost cost;           // of host RAM, and of all cards together
  core::Footprint on_cards;  // peak in use on each card; domain 0 is empty
  bool fits_cards = true;    // false: more layers are configured than the cards can ever hold
  int wanted_context = 0;    // before it was shrunk so that the model fits
};

// What of a plan the files decide, and not the settings: `mmproj` are the projector's weights.
struct PlanFacts {
  std::string model_path;
  std::string mmproj_path;  // "" none
  Bytes mmproj;
  gguf::ProjectorShape projector{};
  Bytes adapters{0};                                 // that flags name, likewise below
  std::optional<gguf::Header> draft = std::nullopt;  // of a draft model
};

// A context that was not configured is halved until the model fits `budget` and the cards (not
// below kLeastContext: then it is reported as it is and never fits). `before`: the plan of the same
// model until now, whose place on the cards is kept if it can be; or null.
PlannedRun make_plan(const config::ModelConfig& settings, const gguf::Header& header,
                     const PlanFacts& facts, Bytes budget, const CardRoom& cards = {},
                     const RunPlan* before = nullptr);

// The plan in the terms of the cost, with the administrator's flags that change it.
gguf::RunOptions cost_options(const RunPlan& plan, Bytes mmproj);

}  // namespace hf::engine
