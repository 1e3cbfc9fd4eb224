#pragma once
// Sizes, durations and percentages as people write them. Sizes: "5GiB", "48GB", "512 MiB",
// "1073741824" (bare = bytes); K M G T with B are powers of 1000, with iB powers of 1024, a
// fraction is allowed
// ("1.5GiB"). Durations: "30s", "500ms", "2m", "1h", "1d". Errors: InvalidArgument that names what
// was expected.

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace hf {

Result<Bytes> parse_bytes(std::string_view text);
Result<Duration> parse_duration(std::string_view text);

// For people: "4.7 GiB", "312 MiB", "0 B"; three significant digits.
std::string format_bytes(Bytes bytes);
// For people: "340 ms", "12.4 s", "3 min 20 s", "2 h 5 min".
std::string format_duration(Duration duration);
// For people: "96.2%"; of a measurement, so rounded.
std::string format_percent(double percent);

}  // namespace hf
