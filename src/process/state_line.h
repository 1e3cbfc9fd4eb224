#pragma once
// The lines a stock llama-server prints for its router when LLAMA_SERVER_ROUTER_PORT is in its
// environment: progress while it loads and one line when it serves. Why: ready without polling. It
// is an internal protocol of that program (v0.5.0, tools/server/server-models.cpp, pinned by
// tests/e2e/test_engine_protocol.py), so a line we do not understand is simply not a state line.

#include <optional>
#include <string_view>

namespace hf::process {

struct StateLine {
  enum class State { Loading, Ready, Other };
  State state = State::Other;
  double fraction = 0;  // 0…1 over all parts (text, projector, draft); only for Loading
};

// Nothing if it is not a state line or not valid JSON.
std::optional<StateLine> parse_state_line(std::string_view line);

// What the router writes to the child's standard input to make it end: a line, with its newline.
inline constexpr std::string_view kExitCommand = "cmd_router_to_child:exit\n";

}  // namespace hf::process
