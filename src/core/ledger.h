#pragma once
// The ledger: which bytes are promised to whom, per memory domain. Why reservations and not
// readings: MemAvailable counts the weights a child maps as free, and a cgroup charges a shared
// file to whoever touched it first. Bytes are free again only when the child has been reaped.
// Single thread.
//
//   free = budget - reserved - debt        (may be negative: then idle models go, and nothing is
//   loaded)

#include "core/footprint.h"

namespace hf::core {

class Ledger {
 public:
  explicit Ledger(const Footprint& budget) : budget_(budget) {}

  [[nodiscard]] const Footprint& budget() const { return budget_; }
  void set_budget(const Footprint& budget) { budget_ = budget; }

  [[nodiscard]] const Footprint& reserved() const { return reserved_; }
  [[nodiscard]] const Footprint& leaving() const { return leaving_; }
  [[nodiscard]] const Footprint& debt() const { return debt_; }
  [[nodiscard]] Footprint free() const { return budget_ - reserved_ - debt_; }

  void reserve(const Footprint& bytes) { reserved_ += bytes; }
  // The child has been told to stop: its bytes, debt included, still count but are on their way
  // out.
  void start_leaving(const Footprint& bytes) { leaving_ += bytes; }
  // Reaped: its reservation and its debt are free. `was_leaving`: start_leaving had been called.
  void release(const Footprint& bytes, const Footprint& debt, bool was_leaving) {
    reserved_ -= bytes;
    debt_ -= debt;
    if (was_leaving) {
      leaving_ -= bytes + debt;
    }
  }
  // A child in use grew beyond its reservation by this much more (or less).
  void change_debt(const Footprint& delta) { debt_ += delta; }

 private:
  Footprint budget_;
  Footprint reserved_;
  Footprint leaving_;
  Footprint debt_;
};

}  // namespace hf::core
