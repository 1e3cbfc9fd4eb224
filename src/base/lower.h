#pragma once
// Letters as HTTP, host names and the hub's labels compare them: ASCII alone, whatever the locale.
// Pure, any thread.

#include <string>
#include <string_view>

namespace hf {

std::string lower(std::string_view text);

}  // namespace hf
