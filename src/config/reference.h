#pragma once
// docs/config.md, written from the declarations in settings.cc, so that the page cannot fall behind
// the program. A unit test compares the two; HF_UPDATE=1 rewrites the page. Pure, any thread.

#include <string>

namespace hf::config {

std::string render_reference_markdown();

}  // namespace hf::config
