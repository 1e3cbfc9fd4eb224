#include "gguf/repack.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "gguf/saturating.h"

namespace hf::gguf {
namespace {

// Which types the CPU backend copies.
// Source: ggml-cpu/repack.cpp and ggml-cpu/amx.
struct RepackRule {
  std::uint32_t type;
  bool avx2, avx512, amx, neon;
};
constexpr RepackRule kRepackRules[] = {
    {1, false, false, true, false},   // f16
    {2, true, true, true, true},      // q4_0
    {3, false, false, true, false},   // q4_1
    {8, false, false, true, true},    // q8_0
    {10, false, true, true, false},   // q2_k
    {12, true, true, true, true},     // q4_k
    {13, false, false, true, true},   // q5_k
    {14, false, false, true, true},   // q6_k
    {20, true, true, true, true},     // iq4_nl
    {23, false, false, true, false},  // iq4_xs
    {39, true, true, true, true},     // mxfp4
};
// AMX tiles store scales apart and expanded.
constexpr std::uint64_t kAmxGrowthPercent = 107;

bool repacks(const RepackRule& rule, Repack repack) {
  switch (repack) {
    case Repack::Off:
      return false;
    case Repack::Avx2:
      return rule.avx2;
    case Repack::Avx512:
      return rule.avx512;
    case Repack::Amx:
      return rule.amx;
    case Repack::Neon:
      return rule.neon;
  }
  return false;
}

}  // namespace

std::uint64_t copied_weights(const Header& header, Repack repack) {
  const TensorSummary& tensors = header.tensors;
  std::uint64_t copied = 0;
  for (const RepackRule& rule : kRepackRules) {
    if (!repacks(rule, repack)) {
      continue;
    }
    copied = plus(copied, count_of(tensors.matrices[rule.type]));
    // A tied output matrix is a second, copied tensor made from the embedding.
    if (tensors.output.count == 0 && tensors.token_embedding_type == rule.type) {
      copied = plus(copied, count_of(tensors.token_embedding));
    }
  }
  return repack == Repack::Amx ? copied / 100 * kAmxGrowthPercent : copied;
}

Repack host_repack() {
#if defined(__x86_64__)
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  constexpr unsigned kAmxInt8 = 1U << 25U;  // leaf 7, edx
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kAmxInt8) != 0) {
    return Repack::Amx;
  }
  if (__builtin_cpu_supports("avx512f")) {
    return Repack::Avx512;
  }
  return __builtin_cpu_supports("avx2") ? Repack::Avx2 : Repack::Off;
#elif defined(__aarch64__)
  return Repack::Neon;
#else
  return Repack::Off;
#endif
}

}  // namespace hf::gguf
