#pragma once
// Whether a child has been used to the full: every slot was filled (nearly) to its context, a full
// batch was computed and the prompt cache, if there is one, ran over. Exists because only then the
// most memory it was seen to hold is the most that it will hold. Learnt from the
// lines of the engine's log, which do not tell images from text, nor embeddings from completions:
// a model with a projector, or a chat model whose embeddings are reserved for, is never used to the
// full. Value type, one thread, no clock.

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "engine/command_line.h"
#include "gguf/cost.h"
#include "store/measurement.h"

namespace hf::engine {

class Exercise {
 public:
  explicit Exercise(const RunPlan& plan = {});

  void read(std::string_view line);
  [[nodiscard]] bool complete() const;

 private:
  std::int64_t full_slot_ = 0;   // tokens from which on a slot counts as full
  std::int64_t full_batch_ = 0;  // tokens of one prompt that make up a full batch
  bool logs_prompts_ = true;     // false: only beginnings and ends of tasks are logged
  bool can_be_full_ = true;      // false: some uses leave no trace in the log
  bool batch_ran_ = false;
  bool cache_ran_over_ = false;
  std::vector<bool> filled_;  // by slot
};

// What the next child is charged in host RAM, by what was predicted and what was seen. Once a child
// was used to the full that is what was seen, and on top of it what heaps differ by and what
// prompts would have taken more as text; but never less than
// - what was predicted, where embeddings of a chat model were asked for (its log does not tell
//   whether there were any, and the outputs of a whole batch are a large part of what it may hold)
//   or where a card may be used (drivers' memory is not in what was seen);
// - the weights and the KV cache, which are there for certain: pages that were reclaimed before
//   anybody looked are missing in what was seen.
Bytes charge_for(const RunPlan& plan, const store::Measurement& known, const gguf::Cost& predicted);

}  // namespace hf::engine
