#pragma once
// HF_ASSERT: a bug of ours, never bad input from outside. On in release builds: prints where and
// why, then aborts, because a core that is wrong about who uses what must not go on. Any thread.

namespace hf {

[[noreturn]] void assert_failed(const char* expression, const char* file, int line,
                                const char* message);

// Called once before the abort, if set: the place to print the last events.
void set_assert_hook(void (*hook)());

}  // namespace hf

#define HF_ASSERT(condition, message)                                 \
  do {                                                                \
    if (!(condition)) [[unlikely]] {                                  \
      ::hf::assert_failed(#condition, __FILE__, __LINE__, (message)); \
    }                                                                 \
  } while (false)
