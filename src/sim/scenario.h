#pragma once
// Scenario transcripts: a text that drives the core by hand and shows what it did, in the manner of
// etcd/raft's data-driven tests. A file is a list of blocks:
//
//   # comment
//   command arguments          one or more lines
//   ----
//   what the core did          written by the runner; compared with what the file says
//
// Limits, before the first model (budget: at any time):
//   budget 16GB, patience 30s, turn 30s, request_limit 60s, drain 30s, loads_at_once 2,
//   max_waiting 4
// Commands:
//   model NAME SIZE [slots=N] [priority=N] [ttl=D] [reload=D] [load_deadline=D] [answer=D]
//         [restart]
//   tune NAME SIZE
//   broken NAME, remove NAME
//   arrive TICKET MODEL [user=N], load TICKET MODEL
//   end TICKET, cancel TICKET, stall TICKET, resume TICKET
//   ready NAME, fail NAME spawn|crashed|oom|timeout|broken, exit NAME, measured NAME SIZE
//   reading PERCENT [stalled], cleanup normal|emergency
//   unload NAME [drain|force], pin NAME, unpin NAME, shutdown
//   advance D                  wakes the core whenever it asked for it
//   show                       models and waiters
//   bound TICKET
//
// Every action is answered as the server would, but only when the text says so. Single thread.

#include <string>
#include <string_view>

#include "base/result.h"

namespace hf::sim {

// The whole text with the results of this run in place of those it had.
// Errors: InvalidArgument with the line number and what was expected there.
Result<std::string> run_scenario(std::string_view text);

}  // namespace hf::sim
