#pragma once
// Which flags of llama-server an administrator may not pass through `args`, and which setting to
// use instead. It exists because such a flag would break a promise behind Holdfast's back: another
// address leaves the private socket, another context or cache breaks the memory ledger, --tools
// opens a shell. Names as of llama.cpp v0.5.0, with their short forms. Pure, any thread.

#include <optional>
#include <string>
#include <string_view>

namespace hf::config {

// As the engine reads it: `--ctx_size` is `--ctx-size`.
std::string canonical_flag(std::string_view flag);

// Why `arg` (one item of `args`) is refused, for people; none if it is allowed. Found in
// either spelling, and `--flag=value` as `--flag`.
std::optional<std::string> why_refused(std::string_view arg);

}  // namespace hf::config
