#pragma once
// /proc/pressure/memory (PSI): which share of the time tasks stood still for want of memory. A late
// alarm, seconds after the fact, so it confirms pressure and is never a budget. Any thread.
// Source: Documentation/accounting/psi.rst of Linux.

#include <filesystem>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace hf::readers {

struct StallShare {
  double avg10 = 0;  // percent of the last 10 s
  double avg60 = 0;
  double avg300 = 0;
  Duration total{};  // since boot

  bool operator==(const StallShare&) const = default;
};

struct Pressure {
  StallShare some;  // at least one task stood still
  StallShare full;  // all of them did

  bool operator==(const Pressure&) const = default;
};

// Errors: Corrupt unless there is a "some" line of the documented form; "full" may be missing.
Result<Pressure> parse_pressure(std::string_view text);

// Reads ROOT/proc/pressure/memory. Errors: NotFound where the kernel was built or booted without
// PSI.
Result<Pressure> read_pressure(const std::filesystem::path& root);

}  // namespace hf::readers
