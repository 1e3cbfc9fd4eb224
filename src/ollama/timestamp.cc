#include "ollama/timestamp.h"

#include <fmt/format.h>

#include <chrono>

namespace hf::ollama {

std::string rfc3339(std::int64_t unix_ns) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::nanoseconds> point{chrono::nanoseconds(unix_ns)};
  const auto day = chrono::floor<chrono::days>(point);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss<chrono::nanoseconds> time{point - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:09}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

}  // namespace hf::ollama
