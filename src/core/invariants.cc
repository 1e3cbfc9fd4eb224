// What must be true after every event, whatever happened. Checked on every step of every
// simulation.
#include <algorithm>

#include "base/assert.h"
#include "core/scheduler.h"

namespace hf::core {

void Scheduler::check_invariants() const {
  Footprint reserved;
  Footprint leaving;
  Footprint debt;
  int loading = 0;
  int gated = 0;
  std::size_t leases = 0;
  std::size_t tickets = 0;
  std::size_t in_line = 0;
  std::size_t resident = 0;
  for (const Model& model : models_) {
    reserved += model.reserved;
    debt += model.debt;
    loading += model.state == State::Loading ? 1 : 0;
    resident += model.has_child() ? 1 : 0;
    gated += model.state == State::Gated ? 1 : 0;
    leases += model.leases.size();
    if (model.state == State::Stopping) {
      leaving += model.reserved + model.debt;
    }
    HF_ASSERT(model.has_child() || model.reserved == Footprint{}, "no child, no bytes");
    HF_ASSERT(model.leases.empty() || static_cast<int>(model.leases.size()) <= model.child_slots,
              "no more leases than slots");
    HF_ASSERT(model.leases.empty() || model.state == State::Ready || model.state == State::Gated ||
                  mutant_ != Mutant::None,
              "a lease is on a child that serves");
    const bool wants_memory =
        !model.queue.empty() && !model.open() && model.state != State::Loading;
    HF_ASSERT(wants_memory == model.line_number.has_value(), "rule 2");
    in_line += model.line_number ? 1 : 0;
    HF_ASSERT(model.state != State::Gated || model.gate != Gate::Open,
              "a gated model has a shut gate");
    HF_ASSERT(model.state != State::Failed || model.queue.empty(),
              "a failed model refuses, nobody waits for it");
    HF_ASSERT(!(model.open() && model.slot_free() && model.queue.live() > 0), "rule 1");
    HF_ASSERT(model.queue.size() <= 2 * widest_queue_ + 1, "queues are bounded");
    tickets += static_cast<std::size_t>(model.queue.live()) + model.leases.size();
  }
  HF_ASSERT(reserved == ledger_.reserved(), "the ledger's sum");
  HF_ASSERT(leaving == ledger_.leaving(), "the ledger's leaving sum");
  HF_ASSERT(debt == ledger_.debt(), "the ledger's debt");
  HF_ASSERT(loading == loading_, "the count of loads");
  HF_ASSERT(gated == gated_ && leases == leases_, "the counts of gates and leases");
  HF_ASSERT(tickets == places_.size(), "every ticket is in one place");
  HF_ASSERT(in_line == line_.size(), "the line");
  HF_ASSERT(resident == resident_.size(), "the resident list");
  HF_ASSERT(!owner_ || models_[owner_->value].line_number, "the owner stands in line");
  for (std::size_t i = 1; i < line_.size(); ++i) {
    HF_ASSERT(models_[line_[i - 1].value].line_number < models_[line_[i].value].line_number,
              "the line is ordered by number");
  }
  for (const ModelId id : resident_) {
    const Model& model = models_[id.value];
    const bool idle_behind_gate =
        model.state == State::Gated && model.gate == Gate::ForOwner && model.queue.live() == 0;
    HF_ASSERT(owner_ || !idle_behind_gate, "rule 8: no gate without a need");
  }
}

}  // namespace hf::core
