#pragma once
// The box that traces are replayed on: what a load and an answer take, as functions of a model's
// size, and the sizes themselves. One box for everybody, so that figures of different machines and
// policies can be compared. There is no page cache: every load is a full load. Pure functions, any
// thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"

namespace hf::sim {

constexpr int kReplaySlots = 4;  // of every model

// 1.5 s + bytes / 2 GB/s.
Duration load_time(Bytes size);
// Prompt and answer of one request: decoding makes min(100, 400 / GB) tokens a second, reading the
// prompt is 25 times as fast. Other requests on the same model do not slow it down.
Duration service_time(Bytes size, std::int64_t prompt_tokens, std::int64_t output_tokens);

// Sizes of common GGUF files, 0.6 to 42.5 GB, for models in the order of their names. For m models
// and n = max(m, 30) model i starts with entry floor(i n / m) mod 30 of the thirty, so that few
// models still span the range; what is larger than the budget becomes 0.6 GB; then the m sizes are
// shuffled: for i = m - 1 … 1 swap i with Random(seed, stream 10).below(i + 1) (Fisher and Yates;
// sim/random.h).
std::vector<Bytes> sizes_by_seed(std::size_t models, Bytes budget, std::uint64_t seed);

// From CSV with the columns model, bytes ("4.7GB", "5GiB" or a count); the second may also be
// called size, size_bytes, or gb, size_gb (10^9 bytes). Every one of `models` must be there; others
// may be. Errors: Corrupt, "NAME:LINE: …", or which model has no size.
Result<std::vector<Bytes>> parse_sizes(std::string_view text, const std::string& name,
                                       const std::vector<std::string>& models);

}  // namespace hf::sim
