#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace hf {
namespace {
void (*g_hook)() = nullptr;
}

void set_assert_hook(void (*hook)()) {
  g_hook = hook;
}

void assert_failed(const char* expression, const char* file, int line, const char* message) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s (%s)\n", file, line, expression, message);
  if (g_hook != nullptr) {
    auto* hook = g_hook;
    g_hook = nullptr;  // a hook that fails itself must not come back here
    hook();
  }
  std::abort();
}

}  // namespace hf
