#pragma once
// How far a child may grow beyond what is reserved for it before its fence stops it. Pure; any
// thread.

#include "base/bytes.h"

namespace hf::engine {

// Of a memory cgroup: what is resident counts.
Bytes cgroup_limit(Bytes expected);

// Of RLIMIT_DATA, which counts address space: the stack of each thread in full, touched or not.
// `expected`: without mapped files. `threads`: that compute; `slots`; `cores` of the machine, by
// which the engine sizes its pool for requests.
Bytes data_limit(Bytes expected, int threads, int slots, int cores);

}  // namespace hf::engine
