#include "engine/exercise.h"

#include <algorithm>

#include "process/timing_line.h"

namespace hf::engine {
namespace {

// The rest of a context adds a little scratch, which the margin of what is charged covers; and
// nobody hits the end of a context exactly.
constexpr std::int64_t kFullEighths = 7;

// Of server_prompt_cache in v0.5.0: a prompt goes for another. That one is larger than the whole
// cache says nothing: shorter ones may still fill it.
constexpr std::string_view kCacheRanOver = "removing oldest entry";

// A token of a prompt takes 240 bytes in the process where it comes as the text of a chat, and 150
// where it comes as a number (src/gguf/cost.cc). The log does not tell which one was seen.
constexpr std::int64_t kTextBytesPerToken = 90;
// The heaps of two runs of the same work differ by up to 2 % (docs/memory.md); what is charged too
// little becomes debt, what is charged too much serves nobody.
constexpr std::int64_t kRunsDifferPercent = 2;
constexpr std::int64_t kLeastOnTopPercent = 3;
// Of all that was seen: where a long context is most of a tiny model, the rest is left to debt, so
// that what was seen stays a close figure.
constexpr std::int64_t kMostOnTopPercent = 4;

// What drivers keep of the host's memory for the traffic with a card is in none of the figures that
// a child is measured by. Not counted cards may be used all the same, if layers are to go there.
bool may_use_cards(const RunPlan& plan) {
  return !plan.cards.empty() || (!plan.cards_counted && plan.gpu_layers.value_or(0) != 0);
}

}  // namespace

Exercise::Exercise(const RunPlan& plan)
    : full_batch_(plan.batch_rows),
      logs_prompts_(plan.kind == ModelKind::Chat),
      can_be_full_(plan.mmproj_path.empty() &&
                   (plan.kind != ModelKind::Chat || !plan.embeddings_reserved)),
      cache_ran_over_(plan.cache_ram.count == 0),
      filled_(static_cast<std::size_t>(std::max(1, plan.parallel)), false) {
  // An embedding's whole text must fit into one batch.
  const int most = logs_prompts_ ? plan.context : std::min(plan.context, plan.batch_rows);
  full_slot_ = std::int64_t{most} * kFullEighths / 8;
  full_batch_ = std::min(full_batch_, full_slot_);
}

void Exercise::read(std::string_view text) {
  if (!cache_ran_over_ && text.find(kCacheRanOver) != text.npos) {
    cache_ran_over_ = true;
    return;
  }
  const auto line = process::parse_timing_line(text);
  if (!line) {
    return;
  }
  using Kind = process::TimingLine::Kind;
  if (line->kind == Kind::Ended) {
    const auto slot = static_cast<std::size_t>(line->slot);
    if (line->tokens >= full_slot_ && slot < filled_.size()) {
      filled_[slot] = true;
    }
  }
  if (line->kind == (logs_prompts_ ? Kind::Prompt : Kind::Ended)) {
    batch_ran_ = batch_ran_ || line->tokens >= full_batch_;
  }
}

bool Exercise::complete() const {
  return can_be_full_ && batch_ran_ && cache_ran_over_ &&
         std::all_of(filled_.begin(), filled_.end(), [](bool filled) { return filled; });
}

Bytes charge_for(const RunPlan& plan, const store::Measurement& known,
                 const gguf::Cost& predicted) {
  if (!known.fully_exercised) {
    return std::max(predicted.total(), known.high_water);
  }
  // Weights and KV cache are the same in each run.
  const Bytes fixed = predicted.weights + predicted.kv_cache;
  const std::int64_t heap = std::max<std::int64_t>(0, (known.high_water - fixed).count) / 100;
  const std::int64_t text = std::int64_t{plan.context} * plan.parallel * kTextBytesPerToken;
  const std::int64_t most = known.high_water.count / 100 * kMostOnTopPercent;
  const Bytes on_top(
      std::max(heap * kLeastOnTopPercent, std::min(heap * kRunsDifferPercent + text, most)));
  const bool unseen_part = plan.kind == ModelKind::Chat && plan.embeddings_reserved;
  const bool keeps_prediction = unseen_part || may_use_cards(plan);
  return std::max(known.high_water + on_top, keeps_prediction ? predicted.total() : fixed);
}

}  // namespace hf::engine
