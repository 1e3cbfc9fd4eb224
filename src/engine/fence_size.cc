#include "engine/fence_size.h"

#include <algorithm>

#include "base/units.h"

namespace hf::engine {
namespace {

// Far enough above a prediction that errs within 15 % never to stop a sound child, and room for
// what no prediction counts: heaps of threads, buffers of connections.
constexpr Bytes kSlack = 512 * kMiB;
// What glibc maps for a thread under the usual `ulimit -s`.
constexpr Bytes kStack = 8 * kMiB;
// Loading, logging, the main loop, requests beyond the slots (health, tokenising).
constexpr int kOtherThreads = 16;

}  // namespace

Bytes cgroup_limit(Bytes expected) {
  return expected + Bytes(expected.count / 4) + kSlack;
}

// Source of the pool's size: server-http.cpp of llama.cpp v0.5.0, max(slots + 4, cores - 1). The
// computing threads twice: those for batches may be a set of their own.
Bytes data_limit(Bytes expected, int threads, int slots, int cores) {
  const std::int64_t stacks =
      2 * std::int64_t{std::max(threads, 1)} + std::max(slots + 4, cores) + kOtherThreads;
  return cgroup_limit(expected) + stacks * kStack;
}

}  // namespace hf::engine
