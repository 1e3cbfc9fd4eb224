#include "sim/physics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include "base/units.h"
#include "sim/csv.h"
#include "sim/random.h"

namespace hf::sim {
namespace {

constexpr double kBytesPerGb = 1e9;
constexpr double kLoadSeconds = 1.5;
constexpr double kLoadBytesPerSecond = 2e9;
// Decoding reads every weight once a token: 400 GB/s of memory, and other costs cap it.
constexpr double kDecodeGbPerSecond = 400;
constexpr double kMostTokensPerSecond = 100;
constexpr double kPrefillOverDecode = 25;

constexpr std::array<double, 30> kCommonGb{
    0.6, 0.8, 1.1, 1.3, 1.9, 2.0, 2.5,  2.5,  3.3,  4.1,  4.4,  4.7,  4.9,  5.0,  5.0,
    5.7, 6.6, 8.1, 8.5, 9.0, 9.0, 12.1, 14.3, 16.5, 17.3, 18.6, 18.6, 19.9, 24.6, 42.5};
constexpr std::uint64_t kSizesStream = 10;

Bytes gigabytes(double gb) {
  return Bytes(std::llround(gb * kBytesPerGb));
}

// What the column of sizes may be called; a plain number under `gb` counts 10^9 bytes.
struct SizeColumn {
  std::string_view name;
  bool in_gb;
};
constexpr std::array<SizeColumn, 5> kSizeColumns{
    {{"bytes", false}, {"size", false}, {"size_bytes", false}, {"gb", true}, {"size_gb", true}}};

Result<Bytes> size_of(const std::string& text, const SizeColumn& column) {
  return parse_bytes(column.in_gb ? text + "GB" : text);
}

}  // namespace

Duration load_time(Bytes size) {
  return duration_of_seconds(kLoadSeconds + static_cast<double>(size.count) / kLoadBytesPerSecond);
}

Duration service_time(Bytes size, std::int64_t prompt_tokens, std::int64_t output_tokens) {
  const double gb = std::max(1.0, static_cast<double>(size.count)) / kBytesPerGb;
  const double decode = std::min(kMostTokensPerSecond, kDecodeGbPerSecond / gb);
  return duration_of_seconds(static_cast<double>(prompt_tokens) / (kPrefillOverDecode * decode) +
                             static_cast<double>(output_tokens) / decode);
}

std::vector<Bytes> sizes_by_seed(std::size_t models, Bytes budget, std::uint64_t seed) {
  std::vector<Bytes> sizes;
  const std::size_t spread = std::max(models, kCommonGb.size());
  for (std::size_t i = 0; i < models; ++i) {
    const Bytes size = gigabytes(kCommonGb[i * spread / models % kCommonGb.size()]);
    sizes.push_back(size > budget ? gigabytes(kCommonGb[0]) : size);
  }
  Random random(seed, kSizesStream);
  for (std::size_t i = models; i-- > 1;) {
    std::swap(sizes[i], sizes[random.below(i + 1)]);
  }
  return sizes;
}

Result<std::vector<Bytes>> parse_sizes(std::string_view text, const std::string& name,
                                       const std::vector<std::string>& models) {
  const SizeColumn* column = kSizeColumns.data();
  Result<CsvReader> csv = CsvReader::open(text, name, {"model", column->name});
  for (const SizeColumn& other : kSizeColumns) {
    if (auto found = CsvReader::open(text, name, {"model", other.name}); !csv && found) {
      csv = std::move(found);
      column = &other;
    }
  }
  if (!csv) {
    return fail(csv.error());
  }
  std::map<std::string, Bytes> known;
  while (true) {
    const Result<bool> more = csv->next();
    if (!more) {
      return fail(more.error());
    }
    if (!*more) {
      break;
    }
    const Result<Bytes> size = size_of(csv->field(1), *column);
    if (!size) {
      return fail(csv->wrong(std::string(column->name) + ": " + size.error().message));
    }
    if (size->count < 1) {
      return fail(csv->wrong("bytes: a model has at least one"));
    }
    if (!known.emplace(csv->field(0), *size).second) {
      return fail(csv->wrong("\"" + csv->field(0) + "\" stands here a second time"));
    }
  }
  std::vector<Bytes> sizes;
  for (const std::string& model : models) {
    const auto size = known.find(model);
    if (size == known.end()) {
      return fail(Errc::Corrupt, name + ": no size for \"" + model + "\"");
    }
    sizes.push_back(size->second);
  }
  return sizes;
}

}  // namespace hf::sim
