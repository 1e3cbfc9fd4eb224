#pragma once
// The ladder of fall-backs: for each thing that has to be known, the ways to know it, best first,
// and why the better ones cannot be used here. `doctor` prints it, the server logs what it has to
// do without. To add a need: a function that returns a Need, called in inspect_ladder().

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/mechanism.h"

namespace hf::readers {

struct Rung {
  std::string name;       // "PSI trigger"
  std::string gives{};    // what is known by it, in a few words
  std::string why_not{};  // it cannot be used, because; "": it can
  std::string remedy{};   // what would make it usable; "": nothing that a person could do here
};

// For a rung whose mechanism the configuration names in `[memory] without`.
void switch_off(Rung& rung, std::string_view word);

struct Need {
  std::string name;         // "pressure alarm"
  std::vector<Rung> rungs;  // best first; the last can always be used

  // Index of the best that can be used.
  [[nodiscard]] std::size_t standing() const;
  [[nodiscard]] bool on_best() const { return standing() == 0; }
  [[nodiscard]] const Rung& rung() const { return rungs[standing()]; }
};

// Tries each mechanism once, blocking for at most some milliseconds. Machine-wide files below
// `proc_root`; /proc/self is always the real one. Any thread.
std::vector<Need> inspect_ladder(const std::filesystem::path& proc_root, const Mechanisms& without);

// Its single needs, in the order in which they are told.
Need pressure_alarm(const std::filesystem::path& proc_root, const Mechanisms& without);
Need machine_memory_need(const std::filesystem::path& proc_root, const Mechanisms& without);
Need memory_limit(const std::filesystem::path& proc_root, const Mechanisms& without);
Need thrash_counters(const std::filesystem::path& proc_root, const Mechanisms& without);
Need child_memory(const Mechanisms& without);
Need page_cache_share(const Mechanisms& without);

}  // namespace hf::readers
