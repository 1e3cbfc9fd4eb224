#pragma once
// What was learnt about a model by running it: how long it loads, how much memory it really took,
// how slow it was at its slowest. Known per file, options and engine, because each of the three
// changes the figures. Plain values; any thread.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/time.h"

namespace hf::store {

struct MeasurementKey {
  std::string file;  // identities of all its files: path, size, time of change, as the owner spells
  std::string options;  // everything that changes memory or speed, in a fixed order
  std::string engine;   // the engine's version

  auto operator<=>(const MeasurementKey&) const = default;
};

struct Measurement {
  std::optional<double> load_seconds_cached;  // moving average, file in the page cache
  std::optional<double> load_seconds_cold;    // moving average, file read from the disk
  Bytes high_water;                           // the most memory seen; 0 = never seen
  // True once every slot was filled, a full batch ran and the prompt cache ran over: from then on
  // high_water is the whole truth.
  bool fully_exercised = false;
  std::optional<double> slowest_decode;          // tokens/s; slowest_rate.h says which are believed
  std::optional<double> slowest_prefill;         // tokens/s
  std::map<std::string, Bytes> card_high_water;  // the most seen on each card, by its name
  // True if a load of which only a part was of that kind went into load_seconds_…: it was computed.
  bool load_cached_estimated = false;
  bool load_cold_estimated = false;

  bool operator==(const Measurement&) const = default;
};

// Weight of the newest load in the moving average: four loads outweigh everything older.
constexpr double kNewestLoadWeight = 0.3;

// A load that was wholly of one kind. The first one replaces a figure that was computed.
void add_load(Measurement& measurement, Duration took, bool was_cached);
// What a whole load of that kind would have taken, as computed from one that was so in part.
void add_computed_load(Measurement& measurement, Duration would_take, bool if_cached);
void add_high_water(Measurement& measurement, Bytes seen);

// "cuda0=123 cuda1=456", as the history keeps it, and back; what is not of that form is left out.
std::string to_text(const std::map<std::string, Bytes>& by_card);
std::map<std::string, Bytes> parse_by_card(std::string_view text);

}  // namespace hf::store
