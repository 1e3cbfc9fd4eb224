#pragma once
// How far a download is, in figures and for people. Pure; any thread.

#include <deque>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace hf::pull {

enum class Stage {
  Fetching,
  Checking,  // reading bytes that are on the disk already
};

struct Progress {
  std::string file;  // the name of the file below models_dir
  int number = 1;    // of so many files
  int count = 1;
  Stage stage = Stage::Fetching;
  Bytes done;
  std::optional<Bytes> total;              // nullopt: the server does not say
  std::optional<double> bytes_per_second;  // of the last seconds; nullopt: too early to say

  [[nodiscard]] std::optional<Duration> left() const;
};

// Bytes a second over the last seconds: the mean since the start would hide that a line got slow.
class Rate {
 public:
  // Order: `now` and `bytes` never go back, but for restart().
  void add(TimePoint now, Bytes bytes);
  void restart() { samples_.clear(); }
  [[nodiscard]] std::optional<double> per_second() const;

 private:
  struct Sample {
    TimePoint at;
    Bytes bytes;
  };
  std::deque<Sample> samples_;
};

// "45% of 690 MiB, 23.4 MiB/s, 16.2 s left", for a log.
std::string progress_words(const Progress& progress);

// The same with a name and a bar, in fewer than `columns` characters, so that a terminal never
// breaks the line.
std::string progress_bar(const Progress& progress, std::size_t columns);

}  // namespace hf::pull
